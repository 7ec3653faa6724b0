import { BuildError } from '../../src/core/errors.ts';
import { normalPath } from '../../src/core/paths.ts';
import { anyFolders, anyName, anyText, globTest } from './glob.ts';

/** Patterns of an ignore file, compiled (§6). Paths are relative to the context, without a leading slash. */
export interface IgnorePatterns {
  /** True when the path is ignored: the last pattern that matches it or a directory above it decides. */
  matches(path: string): boolean;
  /**
   * True when a `!` pattern may bring back something at or below an ignored path, so that a directory must be entered;
   * an empty path is the root.
   */
  couldReinclude(directory: string): boolean;
  /** True when a pattern without `!` may match something below a directory. */
  couldMatchBelow(directory: string): boolean;
}

interface Pattern {
  readonly negated: boolean;
  readonly text: string;
  readonly test: Test;
}

/**
 * Compiles the text of an ignore file. Fails with `parse`, located in `file`, for `!` without a pattern and for a
 * malformed `[` or escape.
 */
export function compileIgnore(text: string, file = '.dockerignore'): IgnorePatterns {
  const patterns = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .flatMap((line, i) => patternOf(line, { file, line: i + 1 }) ?? []);
  return matcherOf(patterns);
}

/**
 * Compiles patterns that stand in a flag: as those of an ignore file, but there are no comments, and a leading slash is
 * not dropped, so that such a pattern matches nothing. Fails with `context` where one is malformed, naming `where`.
 */
export function compilePatterns(patterns: readonly string[], where: string): IgnorePatterns {
  const fail = (message: string) =>
    new BuildError('context', `${message} in ${where}`, { hint: patternHint });
  return matcherOf(patterns.flatMap((text) => patternIn(text.trim(), rooted, fail) ?? []));
}

function matcherOf(patterns: readonly Pattern[]): IgnorePatterns {
  const parts = (wanted: (pattern: Pattern, at: number) => boolean) =>
    patterns.filter(wanted).map(({ text }) => partsOf(text));
  const negative = parts((pattern, at) => pattern.negated && !isUndone(pattern, patterns.slice(at + 1)));
  const positive = parts(({ negated }) => !negated);
  const directories = new Map<string, readonly boolean[]>();
  return {
    matches: (path) => isIgnored(patterns, hits(patterns, path.replace(/(.)\/+$/, '$1'), directories)),
    couldReinclude: (path) => negative.some((one) => path === '' || mayMatchBelow(one, path)),
    couldMatchBelow: (directory) => positive.some((one) => mayMatchBelow(one, directory)),
  };
}

interface Place {
  readonly file: string;
  readonly line: number;
}

/** One line's pattern: comments only at column 0, blanks trimmed, cleaned as a path. */
function patternOf(line: string, place: Place): Pattern | undefined {
  const trimmed = line.startsWith('#') ? '' : line.trim();
  return patternIn(trimmed, cleaned, (message) => malformed(message, line, place));
}

function patternIn(
  trimmed: string,
  clean: (pattern: string) => string,
  fail: (message: string) => BuildError,
): Pattern | undefined {
  if (trimmed === '') return undefined;
  const negated = trimmed.startsWith('!');
  const written = negated ? trimmed.slice(1).trim() : trimmed;
  if (written === '') throw fail('illegal exclusion pattern: "!"');
  const text = clean(written);
  return { negated, text, test: tester(text, () => fail(`malformed pattern "${text}"`)) };
}

function rooted(pattern: string): string {
  return pattern.startsWith('/') ? `/${cleaned(pattern)}` : cleaned(pattern);
}

/** Which patterns match the path itself or a directory above it; remembered for directories only. */
function hits(
  patterns: readonly Pattern[],
  path: string,
  directories: Map<string, readonly boolean[]>,
): readonly boolean[] {
  const slash = path.lastIndexOf('/');
  if (slash <= 0) return patterns.map(({ test }) => test(path));
  const parent = path.slice(0, slash);
  let above = directories.get(parent);
  if (above === undefined) {
    above = hits(patterns, parent, directories);
    directories.set(parent, above);
  }
  return patterns.map(({ test }, i) => above[i]! || test(path));
}

function isIgnored(patterns: readonly Pattern[], hit: readonly boolean[]): boolean {
  const last = hit.lastIndexOf(true);
  return last >= 0 && !patterns[last]!.negated;
}

/** Whether a later pattern ignores all that a `!` pattern brings back; known only of one without wildcards. */
function isUndone({ text }: Pattern, later: readonly Pattern[]): boolean {
  return !WILDCARD.test(text) && isIgnored(later, hits(later, text, new Map()));
}

const WILDCARD = /[*?[\\]/;

type Test = (name: string) => boolean;

/** A test for each component of a pattern; undefined from where on it may match at any depth, or cannot be taken apart. */
function partsOf(pattern: string): (Test | undefined)[] {
  const parts = /\[[^\]]*\//.test(pattern) ? ['**'] : pattern.split('/');
  const fail = (): Error => new Error(`the pattern ${pattern} was compiled before`);
  return parts.map((part) => (part.includes('**') ? undefined : tester(part, fail)));
}

/** Compares component by component; where anything is uncertain, the answer is yes. */
function mayMatchBelow(parts: readonly (Test | undefined)[], directory: string): boolean {
  for (const [i, name] of directory.split('/').entries()) {
    const test = parts[i];
    if (test === undefined) return true;
    if (!test(name)) return false;
  }
  return true;
}

/** Removes empty parts, `.` and `..`, and a leading slash. */
function cleaned(pattern: string): string {
  return normalPath(pattern).replace(/^\/(?=.)/, '');
}

function tester(pattern: string, fail: () => Error): Test {
  if (!WILDCARD.test(pattern)) return (path) => path === pattern;
  return globTest(atomsOf([...pattern], fail));
}

/** `**` crosses slashes, `*`, `?` and `[…]` do not. */
function atomsOf(characters: readonly string[], fail: () => Error): readonly string[] {
  const atoms: string[] = [];
  for (let i = 0; i < characters.length; ) {
    const character = characters[i]!;
    if (character === '*' && characters[i + 1] === '*') {
      i += characters[i + 2] === '/' ? 3 : 2;
      atoms.push(i >= characters.length ? anyText : anyFolders);
    } else if (character === '[') {
      const set = classOf(characters, i, fail);
      atoms.push(set.expression);
      i = set.end;
    } else if (character === '\\') {
      if (i + 1 >= characters.length) throw fail();
      atoms.push(literal(characters[i + 1]!));
      i += 2;
    } else {
      atoms.push(character === '*' ? anyName : character === '?' ? '[^/]' : literal(character));
      i++;
    }
  }
  return atoms;
}

/** `[a-z]` and `[^a-z]`; `]`, `-` and `\` stand for themselves only behind a backslash. */
function classOf(
  characters: readonly string[],
  open: number,
  fail: () => Error,
): { readonly expression: string; readonly end: number } {
  const negated = characters[open + 1] === '^';
  let at = open + (negated ? 2 : 1);
  let items = '';
  const one = (): string => {
    const character = characters[at] === '\\' ? characters[++at] : characters[at];
    if (character === undefined || (characters[at - 1] !== '\\' && /[\]-]/.test(character))) throw fail();
    at++;
    return character;
  };
  do {
    const low = one();
    let high = low;
    if (characters[at] === '-') {
      at++;
      high = one();
    }
    if (low.codePointAt(0)! > high.codePointAt(0)!) throw fail();
    items += `${inClass(low)}-${inClass(high)}`;
  } while (characters[at] !== ']');
  return { expression: negated ? `[^/${items}]` : `(?!/)[${items}]`, end: at + 1 };
}

function inClass(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

function literal(character: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function malformed(message: string, text: string, { file, line }: Place): BuildError {
  return new BuildError('parse', message, {
    location: { file, startLine: line, startColumn: 1, endLine: line, endColumn: text.trimEnd().length + 1 },
    hint: patternHint,
  });
}

const patternHint =
  'Write a path or a pattern of *, ?, ** and [a-z]; a backslash takes the meaning from the next character.';
