import { BuildError, type SourceRange } from '../core/errors.ts';
import { bare, lineRange, type SourceText } from './lines.ts';
import type { Warning } from './types.ts';

/** The parser directives at the head of a file (§1.2). */
export interface Directives {
  readonly escape: '\\' | '`';
  readonly syntax?: string;
  /** Index of the first line after them. */
  readonly next: number;
  readonly warnings: readonly Warning[];
}

const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;

/**
 * Reads `syntax`, `escape` and `check` up to the first line that is none of them; an unknown `# name=value` ends
 * them too. Fails for a directive given twice and for an escape other than `\` and a backquote.
 */
export function readDirectives(source: SourceText): Directives {
  const found = new Map<string, { readonly value: string; readonly location: SourceRange }>();
  let next = 0;
  for (; next < source.lines.length; next++) {
    const directive = directiveIn(source.lines[next]!);
    if (directive === undefined) break;
    const location = lineRange(source, next);
    if (found.has(directive.name)) throw onlyOnce(directive.name, location);
    found.set(directive.name, { value: directive.value, location });
  }
  const syntax = found.get('syntax') ?? syntaxAfterShebang(source);
  const head = { escape: escapeOf(found.get('escape')), next };
  if (syntax === undefined) return { ...head, warnings: [] };
  const frontend = syntax.value.split(/\s/)[0]!;
  return { ...head, syntax: frontend, warnings: frontendWarnings(frontend, syntax.location) };
}

function directiveIn(line: string): { name: string; value: string } | undefined {
  const match = DIRECTIVE.exec(bare(line).trimStart());
  const name = match?.[1]?.toLowerCase();
  if (name !== 'syntax' && name !== 'escape' && name !== 'check') return undefined;
  return { name, value: match![2]! };
}

/** A `#!` line ends the directives, but the reference still looks for `syntax` below it. */
function syntaxAfterShebang(source: SourceText): { value: string; location: SourceRange } | undefined {
  if (!source.lines[0]?.startsWith('#!')) return undefined;
  for (let i = 1; i < source.lines.length; i++) {
    const directive = directiveIn(source.lines[i]!);
    if (directive === undefined) return undefined;
    if (directive.name === 'syntax') return { value: directive.value, location: lineRange(source, i) };
  }
  return undefined;
}

function escapeOf(directive: { value: string; location: SourceRange } | undefined): '\\' | '`' {
  const value = directive?.value ?? '\\';
  if (value === '\\' || value === '`') return value;
  throw new BuildError('parse', `invalid escape character "${value}"`, {
    location: directive!.location,
    hint: 'The escape directive takes \\ or `.',
  });
}

function onlyOnce(name: string, location: SourceRange): BuildError {
  return new BuildError('parse', `only one ${name} parser directive can be used`, {
    location,
    hint: 'Remove one of them.',
  });
}

/** Frontends are not run: a file that asks for another language than ours is read as ours, and told so. */
function frontendWarnings(frontend: string, location: SourceRange): Warning[] {
  if (/^(docker\.io\/)?docker\/dockerfile([:@]|$)/.test(frontend)) return [];
  const text = `the syntax ${frontend} is not run: the file is read by the builtin parser`;
  return [{ text, location, hint: 'Remove the syntax line, or use docker/dockerfile:1.' }];
}
