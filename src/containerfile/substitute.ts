import type { BuildError } from '../core/errors.ts';

/**
 * The patterns of `${v#p}`, `${v%p}` and `${v/p/r}`: `*`, `?` and a backslash before one of them; no brackets. Neither
 * wildcard matches a line feed. Matching walks all states at once, and a pattern that takes too long is refused.
 */
type Token = { readonly kind: 'character'; readonly character: string } | { readonly kind: 'any' | 'star' };

type Fail = (message: string) => BuildError;

/** Steps that one substitution may take: far more than any path or version needs. */
const MAX_STEPS = 2 ** 22;

/** A pattern, and what matching it has cost so far. */
interface Matcher {
  readonly tokens: readonly Token[];
  readonly fail: Fail;
  steps: number;
}

/** Removes the shortest or longest match from the front. */
export function removePrefix(
  value: string,
  pattern: string,
  options: { readonly longest: boolean; readonly fail: Fail },
): string {
  const characters = [...value];
  const matcher = { tokens: tokens(pattern, options.fail), fail: options.fail, steps: 0 };
  const end = matchEnd(matcher, characters, { from: 0, longest: options.longest });
  return end === undefined ? value : characters.slice(end).join('');
}

/** Removes the shortest or longest match from the end. */
export function removeSuffix(
  value: string,
  pattern: string,
  options: { readonly longest: boolean; readonly fail: Fail },
): string {
  const characters = [...value].reverse();
  const matcher = { tokens: tokens(pattern, options.fail).reverse(), fail: options.fail, steps: 0 };
  const end = matchEnd(matcher, characters, { from: 0, longest: options.longest });
  return end === undefined ? value : characters.slice(end).reverse().join('');
}

/**
 * Replaces the first match, or all of them, each the leftmost and longest. With `all`, `$name` in the replacement is a
 * group of the pattern, of which there are none, and `$$` a dollar: so does the reference (§1.4).
 */
export function replacePattern(
  value: string,
  pattern: string,
  options: { readonly replacement: string; readonly all: boolean; readonly fail: Fail },
): string {
  const wanted = { tokens: tokens(pattern, options.fail), fail: options.fail, steps: 0 };
  const replacement = options.all ? withoutGroups(options.replacement) : options.replacement;
  const characters = [...value];
  let result = '';
  let at = 0;
  let lastEnd = -1;
  let count = 0;
  while (at <= characters.length) {
    const end =
      count > 0 && !options.all ? undefined : matchEnd(wanted, characters, { from: at, longest: true });
    if (end !== undefined && (end > at || lastEnd !== at)) {
      result += replacement;
      lastEnd = end;
      count++;
    }
    if (end === undefined || end === at) result += characters[at++] ?? '';
    else at = end;
  }
  return result;
}

function withoutGroups(replacement: string): string {
  return replacement.replace(/\$(?:\$|\w+|\{\w+\})/g, (match) => (match === '$$' ? '$' : ''));
}

function tokens(pattern: string, fail: Fail): Token[] {
  const characters = [...pattern];
  const found: Token[] = [];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i]!;
    if (character === '*') found.push({ kind: 'star' });
    else if (character === '?') found.push({ kind: 'any' });
    else if (character === '\\') found.push({ kind: 'character', character: escaped(characters[++i], fail) });
    else found.push({ kind: 'character', character });
  }
  return found;
}

/** `}` and `/` are escaped for the substitution's own sake, the others for the pattern's. */
function escaped(character: string | undefined, fail: Fail): string {
  if (character !== undefined && '*?\\}/'.includes(character)) return character;
  throw fail(`invalid escape "\\${character ?? ''}" in the pattern`);
}

/** Where the shortest or longest match that starts at `from` ends. */
function matchEnd(
  matcher: Matcher,
  characters: readonly string[],
  options: { readonly from: number; readonly longest: boolean },
): number | undefined {
  const pattern = matcher.tokens;
  let states = reachable(pattern, new Set([0]));
  let end: number | undefined;
  for (let at = options.from; ; at++) {
    matcher.steps += states.size + 1;
    if (matcher.steps > MAX_STEPS) throw matcher.fail('the pattern takes too long on so long a value');
    if (states.has(pattern.length)) {
      end = at;
      if (!options.longest) return end;
    }
    const character = characters[at];
    if (character === undefined || states.size === 0) return end;
    states = reachable(pattern, step(pattern, states, character));
  }
}

function step(pattern: readonly Token[], states: ReadonlySet<number>, character: string): Set<number> {
  const after = new Set<number>();
  for (const state of states) {
    const token = pattern[state];
    if (token === undefined) continue;
    if (token.kind === 'character' ? token.character === character : character !== '\n') {
      after.add(token.kind === 'star' ? state : state + 1);
    }
  }
  return after;
}

/** A star may match nothing. */
function reachable(pattern: readonly Token[], states: Set<number>): Set<number> {
  for (const state of states) if (pattern[state]?.kind === 'star') states.add(state + 1);
  return states;
}
