import { BuildError } from '../core/errors.ts';
import { readDirectives } from './directives.ts';
import { enabledExtensions } from './extensions.ts';
import { refuseVariable } from './flags.ts';
import { lineRange, type SourceText, sourceText, tooLongLines } from './lines.ts';
import { failure, onlyArgument, type Statement } from './statement.ts';
import type { Extension, Include, IncludedFile } from './types.ts';

/** Where a file stands among those that include each other. */
export interface Inclusion {
  /** Files from the first one to this one. */
  readonly chain: readonly string[];
  /** Texts of all files that were included, by name. */
  readonly texts: Map<string, string>;
  /** What all INCLUDEs of all files brought in so far. */
  readonly total: { files: number; characters: number };
  readonly read?: Include;
}

const MAX_DEPTH = 32;

/** A few files that each include the next one several times would make a text without end. */
const MAX_FILES = 1000;
const MAX_CHARACTERS = 2 ** 24;

interface Including {
  readonly escape: '\\' | '`';
  readonly extensions: ReadonlySet<Extension>;
  readonly inclusion: Inclusion;
}

/** A file that was opened: what is wrong with its head, and the line on which its instructions begin. */
interface Opened {
  readonly source: SourceText;
  readonly inclusion: Inclusion;
  readonly errors: readonly BuildError[];
  readonly next: number;
}

/** Opens the file that an INCLUDE names. Fails with `parse` for a circle, too many of them, and for no plain path. */
export function includedBy(
  statement: Statement,
  { escape: escapeWith, extensions, inclusion }: Including,
): Opened {
  const { file, text } = fileOf(statement, inclusion);
  const source = sourceText(text, file);
  inclusion.texts.set(file, source.text);
  const head = readDirectives(source);
  const own = enabledExtensions(source, extensions);
  const errors = [...tooLongLines(source), ...head.errors, ...own.errors];
  if (head.next > 0 && head.escape !== escapeWith) errors.push(otherEscape(source, escapeWith));
  for (const name of own.extensions) if (!extensions.has(name)) errors.push(notEnabled(source, name));
  const chain = [...inclusion.chain, file];
  return { source, inclusion: { ...inclusion, chain }, errors, next: head.next };
}

function fileOf(statement: Statement, { chain, total, read }: Inclusion): IncludedFile {
  const { args, keywordSpan } = statement;
  const path = pathOf(statement);
  if (read === undefined) throw failure(statement, keywordSpan, 'there is nothing to include from here');
  if (++total.files > MAX_FILES) throw failure(statement, args, `more than ${MAX_FILES} INCLUDEs`);
  const found = read(path, chain.at(-1)!);
  total.characters += found.text.length;
  if (total.characters > MAX_CHARACTERS) {
    throw failure(statement, args, `what is included is longer than ${MAX_CHARACTERS} characters`);
  }
  if (chain.includes(found.file)) {
    const circle = [...chain.slice(chain.indexOf(found.file)), found.file].join(' → ');
    throw failure(statement, args, `INCLUDE goes round in a circle: ${circle}`, 'Take one of them away.');
  }
  if (chain.length > MAX_DEPTH) {
    throw failure(statement, args, `INCLUDE is nested more than ${MAX_DEPTH} deep`);
  }
  return found;
}

function pathOf(statement: Statement): string {
  if (statement.flags[0] !== undefined)
    throw failure(statement, statement.flags[0], 'INCLUDE takes no flags');
  const word = onlyArgument(statement);
  refuseVariable(word, 'INCLUDE');
  return word.text;
}

/** All files are read by one set of rules: what the first one says of escapes and extensions holds. */
function otherEscape(source: SourceText, escapeWith: string): BuildError {
  return new BuildError(
    'parse',
    `the file that includes this one escapes with ${escapeWith}, and this one does not`,
    {
      location: lineRange(source, 0),
      hint: 'Give both the same escape directive.',
    },
  );
}

function notEnabled(source: SourceText, name: Extension): BuildError {
  return new BuildError('parse', `the included file needs the extension ${name}, which is off`, {
    location: lineRange(source, 0),
    hint: `Write "# tsbuild: ${name}" at the head of the first file too, or give --enable ${name}.`,
  });
}
