import { BuildError } from '../../src/core/errors.ts';

/** What `--chmod` does to the mode of a file or directory. */
export interface ModeChange {
  /** The mode that a file or directory with `mode` gets. */
  readonly apply: (mode: number, isDirectory: boolean) => number;
  /** Mode of directories that are made on the way: of an octal mode they take all but the special bits. */
  readonly created: number;
}

/** Without `--chmod`: modes stay, made directories are 0755. */
export const keepModes: ModeChange = { apply: (mode) => mode, created: 0o755 };

/** Parses `--chmod`: octal up to 07777, or symbolic as chmod(1) (`u=rwX,go=rX`). Fails with `usage`. */
export function parseMode(text: string): ModeChange {
  if (/^[0-7]+$/.test(text) && Number.parseInt(text, 8) <= 0o7777) {
    const mode = Number.parseInt(text, 8);
    return { apply: () => mode, created: mode & 0o777 };
  }
  const clauses = text.split(',').map((clause) => clauseOf(clause, text));
  const apply = (mode: number, isDirectory: boolean) =>
    clauses.reduce((before, change) => change(before, { mode, isDirectory }), mode);
  return { apply, created: 0o755 };
}

/** What is changed, as it was before the first change: that is what `X` asks. */
interface Original {
  readonly mode: number;
  readonly isDirectory: boolean;
}

type Change = (mode: number, of: Original) => number;

const shifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

function clauseOf(clause: string, text: string): Change {
  const match = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause);
  if (match === null) {
    throw new BuildError(
      'usage',
      `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
      { hint: 'Write an octal mode such as 0644, or a symbolic one such as u=rwX,go=rX.' },
    );
  }
  const who = match[1] === '' || match[1]!.includes('a') ? 'ugo' : match[1]!;
  const actions = [...match[2]!.matchAll(/([-+=])([rwxXst]*|[ugo])(?=[-+=]|$)/g)];
  return (mode, of) =>
    actions.reduce(
      (before, [, operator, what]) => act(before, { who, operator: operator!, what: what!, of }),
      mode,
    );
}

interface Action {
  readonly who: string;
  readonly operator: string;
  readonly what: string;
  readonly of: Original;
}

/** `=` clears setuid and setgid of those that it names too, of directories as of files. */
function act(mode: number, { who, operator, what, of }: Action): number {
  let bits = 0;
  let mask = 0;
  for (const one of who) {
    const shift = shifts[one]!;
    mask |= 7 << shift;
    bits |= permissions(what, mode, of) << shift;
  }
  const setIds = (who.includes('u') ? 0o4000 : 0) | (who.includes('g') ? 0o2000 : 0);
  if (what.includes('s')) bits |= setIds;
  if (what.includes('t') && setIds !== 0) bits |= 0o1000;
  if (operator === '+') return mode | bits;
  if (operator === '-') return mode & ~bits;
  return (mode & ~mask & ~setIds) | bits;
}

function permissions(what: string, mode: number, of: Original): number {
  const copied = shifts[what];
  if (copied !== undefined) return (mode >> copied) & 7;
  const execute = what.includes('x') || (what.includes('X') && (of.isDirectory || (of.mode & 0o111) !== 0));
  return (what.includes('r') ? 4 : 0) | (what.includes('w') ? 2 : 0) | (execute ? 1 : 0);
}
