import { BuildError } from '../../src/core/errors.ts';
import { anyText, globTest } from '../context/glob.ts';
import { baseOf, resolveIn } from '../path-resolve.ts';
import type { SourceTree } from './copy-source.ts';

/** True when a COPY source is a pattern: an unescaped `*`, `?` or `[`. Other sources are taken as they stand. */
export function hasWildcard(source: string): boolean {
  return /[*?[]/.test(source.replace(/\\./gs, 'x'));
}

/** A pattern without wildcards as the path that it matches. */
export function unescaped(pattern: string): string {
  return pattern.replace(/\\(.)/gs, '$1');
}

/** Paths that a pattern matches: links are followed before its first wildcard, not after. */
export async function matchesOf(pattern: string, tree: SourceTree): Promise<string[]> {
  const components = pattern.split('/');
  const first = components.findIndex(hasWildcard);
  const prefix = components.slice(0, first).join('/');
  const start = await resolveIn(async (at) => (await tree.get(at))?.entry, prefix, true);
  let paths = [start.path];
  for (const component of components.slice(first)) {
    const matches = componentMatcher(component);
    const next: string[] = [];
    for (const path of paths) {
      for (const { entry } of await tree.children(path)) {
        if (matches(baseOf(entry.path))) next.push(entry.path);
      }
    }
    paths = next;
  }
  return paths;
}

/**
 * A test for one path component, by the rules of Go's path.Match: `*` any run, `?` one character, `[a-z]` and `[^a-z]`
 * classes, `\` takes the next literally. No `**`. A malformed class fails with `context`.
 */
export function componentMatcher(pattern: string): (name: string) => boolean {
  const atoms: string[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!;
    if (character === '*') atoms.push(anyText);
    else if (character === '?') atoms.push('[^]');
    else if (character === '[') {
      const end = classEnd(pattern, i);
      atoms.push(classOf(pattern.slice(i + 1, end)));
      i = end;
    } else if (character === '\\') atoms.push(quote(pattern[++i] ?? malformed(pattern)));
    else atoms.push(quote(character));
  }
  return globTest(atoms);
}

/** The index of the `]` that ends the class that begins at `start`; a first `]` needs an escape, as in Go. */
function classEnd(pattern: string, start: number): number {
  let i = start + (pattern[start + 1] === '^' ? 2 : 1);
  const first = i;
  for (; i < pattern.length; i++) {
    if (pattern[i] === '\\') i++;
    else if (pattern[i] === ']' && i > first) return i;
    else if (pattern[i] === ']') malformed(pattern);
  }
  return malformed(pattern);
}

function classOf(body: string): string {
  const negated = body.startsWith('^');
  const ranges: string[] = [];
  const characters = [...body.slice(negated ? 1 : 0)];
  const take = (): string => {
    const character = characters.shift() ?? malformed(`[${body}]`);
    return character === '\\' ? (characters.shift() ?? malformed(`[${body}]`)) : character;
  };
  while (characters.length > 0) {
    const low = take();
    if (characters[0] !== '-') ranges.push(hex(low));
    else {
      characters.shift();
      const high = take();
      if (low <= high) ranges.push(`${hex(low)}-${hex(high)}`);
    }
  }
  if (ranges.length === 0) return negated ? '[^]' : '[]';
  return `[${negated ? '^' : ''}${ranges.join('')}]`;
}

function hex(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

function quote(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function malformed(pattern: string): never {
  throw new BuildError('context', `syntax error in the pattern "${pattern}"`, {
    hint: 'Close the bracket, or write \\[ for the character itself.',
  });
}
