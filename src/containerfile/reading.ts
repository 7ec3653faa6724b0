import { BuildError } from '../core/errors.ts';
import { attempt } from './attempt.ts';
import { brokenFrom } from './broken-from.ts';
import { type PlacedHeredoc, readHeredocs } from './heredoc.ts';
import { type Inclusion, includedBy } from './include.ts';
import { instructionOf } from './instructions.ts';
import {
  isComment,
  isEmpty,
  type LogicalLine,
  lineRange,
  logicalLine,
  rangeOf,
  type SourceText,
} from './lines.ts';
import { isJsonForm, type Statement, takeApart } from './statement.ts';
import type { Extension, FromInstruction, Instruction, Warning } from './types.ts';
import { scanned } from './work.ts';

/** One file as it is read; errors and warnings are collected. */
export interface Reading {
  readonly source: SourceText;
  readonly escape: '\\' | '`';
  readonly extensions: ReadonlySet<Extension>;
  readonly inclusion: Inclusion;
  readonly errors: BuildError[];
  readonly warnings: Warning[];
  readonly found: Found[];
}

/** What a statement means. */
export type Found = Instruction | FromInstruction;

/** After so many errors a file is something else than a Containerfile: nobody would read more. */
export const MAX_ERRORS = 1000;

/** Reads the instructions from the physical line `from` to the end into `reading.found`. */
export function readAll(reading: Reading, from: number): void {
  const { lines } = reading.source;
  let comments: string[] = [];
  for (let at = from; at < lines.length; ) {
    const line = lines[at]!;
    if (isComment(line)) {
      comments.push(line.trim().slice(1).trim());
      at++;
    } else if (isEmpty(line)) {
      comments = [];
      at++;
    } else if (reading.errors.length >= MAX_ERRORS) {
      if (reading.errors.length === MAX_ERRORS) reading.errors.push(tooManyErrors(reading.source, at));
      return;
    } else {
      at = readOne(reading, at, comments);
      comments = [];
    }
  }
}

/** Takes a logical line apart and reads the heredocs it opens; `next` is the first physical line after it all. */
export function readStatement(
  reading: Pick<Reading, 'source' | 'escape'> & Pick<Statement, 'extensions'>,
  line: LogicalLine,
  comments: readonly string[],
): { readonly statement: Statement; readonly next: number } {
  const { source, escape: escapeWith, extensions } = reading;
  const { keyword, keywordSpan, flags, args } = takeApart(line, 0);
  const whole = rangeOf(line, keywordSpan.start, Math.max(line.text.trimEnd().length, 1));
  const heredocs: PlacedHeredoc[] = [];
  const parts = { keyword, keywordSpan, flags, args, heredocs };
  const plain = { line, escape: escapeWith, extensions, ...parts, range: whole, comments };
  const from = heredocsFrom(plain);
  if (from === undefined) return { statement: plain, next: line.next };
  const read = readHeredocs(source, line, from);
  const last = read.heredocs.at(-1)?.range;
  const range = last === undefined ? whole : { ...whole, endLine: last.endLine, endColumn: last.endColumn };
  return { statement: { ...plain, heredocs: read.heredocs, range }, next: read.next };
}

/**
 * One instruction. After an error reading goes on below it; below a heredoc without an end nothing is left to read, for
 * all of it is the heredoc's.
 */
function readOne(reading: Reading, at: number, comments: readonly string[]): number {
  const { source, errors } = reading;
  const line = logicalLine(source, at, reading.escape);
  if (line.text.trim() === '') return line.next;
  const read = attempt(errors, () => readStatement(reading, line, comments));
  if (read === undefined) return source.lines.length;
  const { statement } = read;
  if (statement.keyword === 'include' && reading.extensions.has('include')) include(reading, statement);
  else {
    const instruction = attempt(errors, () => instructionOf(statement), statement.range);
    if (instruction !== undefined) reading.found.push(instruction);
    else if (statement.keyword === 'from') reading.found.push(brokenFrom(statement));
  }
  return read.next;
}

/** The instructions of the included file stand where its INCLUDE stood. */
function include(reading: Reading, statement: Statement): void {
  const opened = attempt(reading.errors, () => includedBy(statement, reading), statement.range);
  if (opened === undefined) return;
  reading.errors.push(...opened.errors);
  readAll({ ...reading, source: opened.source, inclusion: opened.inclusion }, opened.next);
}

/** Where heredocs may stand: the arguments of ADD, COPY and RUN that are no JSON, also behind ONBUILD. */
function heredocsFrom(statement: Statement): number | undefined {
  scanned(statement.line.text.length);
  if (!statement.line.text.includes('<<')) return undefined;
  if (statement.keyword === 'onbuild') {
    const inner = takeApart(statement.line, statement.args.start);
    return inner.keyword === 'onbuild' ? undefined : heredocsFrom({ ...statement, ...inner });
  }
  if (!['add', 'copy', 'run'].includes(statement.keyword)) return undefined;
  return isJsonForm(statement) ? undefined : statement.args.start;
}

function tooManyErrors(source: SourceText, at: number): BuildError {
  return new BuildError('parse', 'too many errors: nothing below is read', {
    location: lineRange(source, at),
    hint: 'Is the file a Containerfile at all? Name another one with -f.',
  });
}
