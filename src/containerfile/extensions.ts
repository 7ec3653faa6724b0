import { BuildError, type SourceRange, suggestion } from '../core/errors.ts';
import { bare, isComment, type SourceText, spanRange } from './lines.ts';
import type { Extension } from './types.ts';

/** Everything a file may switch on beyond the language. */
const extensions: readonly Extension[] = ['errexit-heredocs', 'include', 'optional-copy', 'reset'];

const DIRECTIVE = /^\s*#\s*tsbuild:(.*)$/i;

/**
 * What the options and the file's own `# tsbuild: NAME[, NAME]`, among the comments before the first instruction, switch
 * on. An unknown name is an error: `parse` in the file, `usage` in the options.
 */
export function enabledExtensions(
  source: SourceText,
  enable: Iterable<string>,
): { readonly extensions: ReadonlySet<Extension>; readonly errors: BuildError[] } {
  const found = new Set<Extension>();
  const errors: BuildError[] = [];
  const asked = [...enable].map((name) => ({ name, location: undefined }));
  for (const { name, location } of [...asked, ...extensionWords(source)]) {
    const known = extensions.find((one) => one === name);
    if (known === undefined) errors.push(unknownExtension(name, location));
    else found.add(known);
  }
  return { extensions: found, errors };
}

/** How a construct of an extension that is off is refused. */
export function howToEnable(extension: Extension): string {
  return `Write "# tsbuild: ${extension}" above the first instruction, or give --enable ${extension}.`;
}

function unknownExtension(name: string, location: SourceRange | undefined): BuildError {
  const hint = suggestion(name, extensions) ?? `There are ${extensions.join(', ')}.`;
  const message = name === '' ? 'an extension without a name' : `there is no extension "${name}"`;
  const code = location === undefined ? 'usage' : 'parse';
  return new BuildError(code, message, { hint, ...(location !== undefined && { location }) });
}

function extensionWords(source: SourceText): { readonly name: string; readonly location: SourceRange }[] {
  const found: { name: string; location: SourceRange }[] = [];
  for (let at = 0; at < source.lines.length; at++) {
    const line = bare(source.lines[at]!);
    if (line.trim() !== '' && !isComment(line)) break;
    const names = DIRECTIVE.exec(line)?.[1];
    if (names !== undefined) found.push(...wordsIn(source, at, line.length - names.length));
  }
  return found;
}

function wordsIn(source: SourceText, line: number, from: number): { name: string; location: SourceRange }[] {
  const found: { name: string; location: SourceRange }[] = [];
  let at = from;
  for (const part of bare(source.lines[line]!).slice(from).split(',')) {
    const name = part.trim();
    const start = at + part.length - part.trimStart().length;
    found.push({ name, location: spanRange(source, line, { start, end: start + name.length }) });
    at += part.length + 1;
  }
  return found;
}
