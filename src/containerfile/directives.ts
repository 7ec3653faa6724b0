import { BuildError, type SourceRange } from '../core/errors.ts';
import { attempt } from './attempt.ts';
import { parseCheck } from './check-settings.ts';
import { bare, lineRange, type SourceText } from './lines.ts';
import type { CheckSettings } from './types.ts';

/** What asks for a frontend, and where. */
export interface SyntaxRequest {
  readonly frontend: string;
  readonly location: SourceRange;
}

/** The parser directives at the head of a file (§1.2). */
export interface Directives {
  readonly escape: '\\' | '`';
  readonly syntax?: SyntaxRequest;
  readonly check?: CheckSettings;
  /** Index of the first line after them. */
  readonly next: number;
  /** A directive given twice, an escape other than `\` and a backquote, a malformed check. */
  readonly errors: readonly BuildError[];
}

interface Directive {
  readonly value: string;
  readonly location: SourceRange;
}

/**
 * Reads `syntax`, `escape` and `check` up to the first line that is none of them; an unknown `# name=value` ends
 * them too.
 */
export function readDirectives(source: SourceText): Directives {
  const errors: BuildError[] = [];
  const { found, next } = directivesFrom(source, 0, { sign: '#', errors });
  const check = checkOf(found.get('check'), errors);
  const syntax = found.get('syntax') ?? syntaxAfterShebang(source);
  return {
    escape: escapeOf(found.get('escape'), errors),
    next,
    errors,
    ...(check !== undefined && { check }),
    ...(syntax !== undefined && { syntax: requestOf(syntax) }),
  };
}

/**
 * A frontend that a file of another language asks for: behind `//`, or as a member of JSON. Such a file is nothing that
 * the built-in language can read.
 */
export function foreignSyntax(source: SourceText): SyntaxRequest | undefined {
  const start = source.lines[0]?.startsWith('#!') ? 1 : 0;
  const { found } = directivesFrom(source, start, { sign: '//', errors: [] });
  const syntax = found.get('syntax') ?? syntaxOfJson(source, start);
  return syntax === undefined ? undefined : requestOf(syntax);
}

function directivesFrom(
  source: SourceText,
  start: number,
  { sign, errors }: { readonly sign: '#' | '//'; readonly errors: BuildError[] },
): { found: Map<string, Directive>; next: number } {
  const found = new Map<string, Directive>();
  let next = start;
  for (; next < source.lines.length; next++) {
    const directive = directiveIn(source.lines[next]!, sign);
    if (directive === undefined) break;
    const location = lineRange(source, next);
    if (found.has(directive.name)) errors.push(onlyOnce(directive.name, location));
    else found.set(directive.name, { value: directive.value, location });
  }
  return { found, next };
}

function directiveIn(line: string, sign: '#' | '//'): { name: string; value: string } | undefined {
  const text = bare(line).trim();
  if (!text.startsWith(sign)) return undefined;
  const match = /^\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+)$/.exec(text.slice(sign.length));
  const name = match?.[1]?.toLowerCase();
  if (name !== 'syntax' && name !== 'escape' && name !== 'check') return undefined;
  return { name, value: match![2]! };
}

/** A `#!` line ends the directives, but the reference still looks for `syntax` below it. */
function syntaxAfterShebang(source: SourceText): Directive | undefined {
  if (!source.lines[0]?.startsWith('#!')) return undefined;
  return directivesFrom(source, 1, { sign: '#', errors: [] }).found.get('syntax');
}

function syntaxOfJson(source: SourceText, start: number): Directive | undefined {
  const first = source.lines.findIndex((line, at) => at >= start && line.trim() !== '');
  if (!source.lines[first]?.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(source.lines.slice(start).join(''));
    const { syntax } = value as { readonly syntax?: unknown };
    return typeof syntax === 'string' ? { value: syntax, location: lineRange(source, first) } : undefined;
  } catch {
    return undefined;
  }
}

/** Behind the frontend's name its own options may follow. */
function requestOf({ value, location }: Directive): SyntaxRequest {
  return { frontend: value.split(/\s/, 1)[0]!, location };
}

function escapeOf(directive: Directive | undefined, errors: BuildError[]): '\\' | '`' {
  const value = directive?.value ?? '\\';
  if (value === '\\' || value === '`') return value;
  const hint = 'The escape directive takes \\ or `.';
  const { location } = directive!;
  errors.push(new BuildError('parse', `invalid escape character "${value}"`, { location, hint }));
  return '\\';
}

function checkOf(directive: Directive | undefined, errors: BuildError[]): CheckSettings | undefined {
  if (directive === undefined) return undefined;
  return attempt(errors, () => parseCheck(directive.value), directive.location);
}

function onlyOnce(name: string, location: SourceRange): BuildError {
  return new BuildError('parse', `only one ${name} parser directive can be used`, {
    location,
    hint: 'Remove one of them.',
  });
}
