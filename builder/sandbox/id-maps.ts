import { readFileSync, statSync, writeFileSync } from 'node:fs';

type Kind = 'uid_map' | 'gid_map';

/** A run of ids of this user namespace; `outside` is what the first is called in the one above. */
interface IdRange {
  readonly first: number;
  readonly outside: number;
  readonly count: number;
}

/** The number of the machine's own user namespace, the same on all kernels (linux/proc_ns.h). */
const INITIAL = 0xeffffffd;

/** True in the machine's own user namespace; one below it may have all ids too, but not its rights. */
export function isRealRoot(): boolean {
  return statSync('/proc/self/ns/user').ino === INITIAL;
}

/** Whether a group exists here: a file can be given to no other. */
export function hasGroup(gid: number): boolean {
  return rangesOf('gid_map').some(({ first, count }) => gid >= first && gid < first + count);
}

/** Gives a process in a new user namespace below ours every id of ours, as itself. */
export function writeIdentityMaps(pid: number): void {
  for (const kind of ['uid_map', 'gid_map'] as const) {
    const same = rangesOf(kind).map(({ first, count }) => `${first} ${first} ${count}\n`);
    writeFileSync(`/proc/${pid}/${kind}`, same.join(''));
  }
}

function rangesOf(kind: Kind): readonly IdRange[] {
  const lines = readFileSync(`/proc/self/${kind}`, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [first = 0, outside = 0, count = 0] = line.trim().split(/\s+/).map(Number);
    return { first, outside, count };
  });
}
