/** Any number of characters, any but slashes, and any folders: what a pattern repeats, as a regular expression has it. */
export const anyText = '.*';
export const anyName = '[^/]*';
export const anyFolders = '(?:.*/)?';

/**
 * A test for texts that all of the atoms together match: those three, and sources of regular expressions that take one
 * character each. The time it takes never explodes: a pattern may come from anyone.
 */
export function globTest(atoms: readonly string[]): (text: string) => boolean {
  const single = atoms.filter((atom, i) => !repeats.has(atom) || atom !== atoms[i - 1]);
  if (single.filter((atom) => repeats.has(atom)).length > MOST_REPEATS) return stepwise(single);
  const expression = new RegExp(`^${single.join('')}$`, 'su');
  return (text) => expression.test(text);
}

const repeats: ReadonlySet<string> = new Set([anyText, anyName, anyFolders]);

/** A regular expression tries all ways to share a text among more of them. */
const MOST_REPEATS = 3;

interface State {
  /** The characters that lead on: to this state again where it repeats, else to the next. */
  readonly takes: RegExp;
  readonly repeats: boolean;
  /** States that are reached without a character, counted from this one. */
  readonly free: readonly number[];
}

const nothing = /(?!)/;

/** Follows all ways at once, a character at a time. */
function stepwise(atoms: readonly string[]): (text: string) => boolean {
  const states = atoms.flatMap(statesOf);
  return (text) => {
    let now = reached(states, [0]);
    for (const character of text) {
      const next: number[] = [];
      for (const at of now) {
        const state = states[at];
        if (state?.takes.test(character)) next.push(state.repeats ? at : at + 1);
      }
      now = reached(states, next);
    }
    return now.has(states.length);
  };
}

function statesOf(atom: string): readonly State[] {
  const any: State = { takes: /^.$/su, repeats: true, free: [1] };
  if (atom === anyText) return [any];
  if (atom === anyName) return [{ ...any, takes: /^[^/]$/u }];
  const slash: State = { takes: /^\/$/, repeats: false, free: [] };
  if (atom === anyFolders) return [{ takes: nothing, repeats: false, free: [1, 3] }, any, slash];
  return [{ takes: new RegExp(`^${atom}$`, 'su'), repeats: false, free: [] }];
}

/** A set is walked in the order of its making, and what is added meanwhile is walked too. */
function reached(states: readonly State[], from: readonly number[]): ReadonlySet<number> {
  const found = new Set(from);
  for (const at of found) for (const step of states[at]?.free ?? []) found.add(at + step);
  return found;
}
