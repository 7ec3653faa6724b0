import type { Proc } from './proc.ts';
import { KEEP } from './records.ts';

/** The ids of a kind: real, effective, saved, and the one that counts for files. */
export interface Ids {
  readonly real: number;
  readonly effective: number;
  readonly saved: number;
  readonly file: number;
}

/** Who a process is by its own lights. */
export interface Credentials {
  readonly user: Ids;
  readonly group: Ids;
  readonly groups: readonly number[];
  /** It keeps its capabilities when it gives up uid 0 (PR_SET_KEEPCAPS). */
  readonly keepsCapabilities: boolean;
}

export function idsOf(id: number): Ids {
  return { real: id, effective: id, saved: id, file: id };
}

export const rootCredentials: Credentials = {
  user: idsOf(0),
  group: idsOf(0),
  groups: [],
  keepsCapabilities: false,
};

interface Held {
  readonly started: string;
  readonly credentials: Credentials;
}

/** More forks than this between a process and one that is known do not occur. */
const DEEPEST = 64;

/**
 * Who the processes of a step are: all of them as the first, until one becomes somebody else. From then on, what no one has
 * asked about yet is as its thread group or parent is; a process's time of start tells it from an earlier one of the same id.
 */
export class Processes {
  readonly #first: number;
  readonly #seed: Credentials;
  readonly #proc: Proc;
  readonly #held = new Map<number, Held>();
  #alike = true;

  constructor(first: number, seed: Credentials, proc: Proc) {
    this.#first = first;
    this.#seed = seed;
    this.#proc = proc;
  }

  of(pid: number): Credentials {
    return this.#alike ? this.#seed : this.#find(pid, 0);
  }

  /** A negative errno changes nothing. */
  change(pid: number, change: (old: Credentials) => Credentials | number): number {
    const old = this.of(pid);
    const changed = change(old);
    if (typeof changed === 'number') return changed;
    if (isSame(old, changed)) return 0;
    this.#alike = false;
    this.#hold(this.#first, this.#held.get(this.#first)?.credentials ?? this.#seed);
    this.#hold(pid, changed);
    return 0;
  }

  #find(pid: number, depth: number): Credentials {
    const stat = depth > DEEPEST ? undefined : statOf(pid, this.#proc);
    if (stat === undefined) return rootCredentials;
    const held = this.#held.get(pid);
    if (held?.started === stat.started) return held.credentials;
    if (pid === this.#first || stat.parent === 0) return rootCredentials;
    const leader = Number(this.#proc.statusField(pid, 'Tgid') ?? pid);
    const credentials = this.#find(leader === pid ? stat.parent : leader, depth + 1);
    this.#held.set(pid, { started: stat.started, credentials });
    return credentials;
  }

  #hold(pid: number, credentials: Credentials): void {
    const stat = statOf(pid, this.#proc);
    if (stat !== undefined) this.#held.set(pid, { started: stat.started, credentials });
  }
}

function isSame(a: Credentials, b: Credentials): boolean {
  return (
    a.keepsCapabilities === b.keepsCapabilities &&
    isSameIds(a.user, b.user) &&
    isSameIds(a.group, b.group) &&
    a.groups.length === b.groups.length &&
    a.groups.every((group, at) => group === b.groups[at])
  );
}

function isSameIds(a: Ids, b: Ids): boolean {
  return a.real === b.real && a.effective === b.effective && a.saved === b.saved && a.file === b.file;
}

const EPERM = 1;
const EINVAL = 22;

/** setuid(2) and setgid(2). */
export function setAll(ids: Ids, id: number, privileged: boolean): Ids | number {
  if (id === KEEP) return -EINVAL;
  if (privileged) return idsOf(id);
  return [ids.real, ids.saved].includes(id) ? { ...ids, effective: id, file: id } : -EPERM;
}

/** setreuid(2) and setregid(2). */
export function setTwo(
  ids: Ids,
  [real, effective]: readonly [number, number],
  privileged: boolean,
): Ids | number {
  const allowed = (id: number): boolean =>
    id === KEEP || privileged || [ids.real, ids.effective, ids.saved].includes(id);
  if (!allowed(real) || !allowed(effective)) return -EPERM;
  const now = effective === KEEP ? ids.effective : effective;
  const saves = real !== KEEP || (effective !== KEEP && effective !== ids.real);
  return {
    real: real === KEEP ? ids.real : real,
    effective: now,
    saved: saves ? now : ids.saved,
    file: now,
  };
}

/** setresuid(2) and setresgid(2). */
export function setThree(
  ids: Ids,
  [real, effective, saved]: readonly [number, number, number],
  privileged: boolean,
): Ids | number {
  const allowed = (id: number): boolean =>
    id === KEEP || privileged || [ids.real, ids.effective, ids.saved].includes(id);
  if (![real, effective, saved].every(allowed)) return -EPERM;
  const now = effective === KEEP ? ids.effective : effective;
  return {
    real: real === KEEP ? ids.real : real,
    effective: now,
    saved: saved === KEEP ? ids.saved : saved,
    file: now,
  };
}

function statOf(pid: number, proc: Proc): { readonly parent: number; readonly started: string } | undefined {
  const text = proc.read(`${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ', 20);
  return { parent: Number(fields[1]), started: fields[19] ?? '' };
}
