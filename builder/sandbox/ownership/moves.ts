import { randomBytes } from 'node:crypto';
import { lstatSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { close, O_CLOEXEC, O_NOFOLLOW, O_PATH, openat } from '../../../src/sys/descriptor.ts';
import { mknod, utimensat } from '../../../src/sys/file.ts';
import { type Answer, at, type Notification } from './notification.ts';
import { type Place, type PlaceArguments, placeOf } from './place.ts';
import type { Step } from './step.ts';

/**
 * Before a file gets another name. One of a layer below that cannot carry its owner would get another inode on the way up, by
 * which nobody knows it again: it is made anew, in the same place, before the kernel moves it.
 */
export function beforeMove(call: Notification, step: Step, names: readonly PlaceArguments[]): Answer {
  if (!step.records.knowsBelow) return 'continue';
  for (const which of names) {
    const place = placeOf(call, step, which);
    if (typeof place === 'number') continue;
    if (call.isWaiting()) renew(place, step);
    close(place.folder);
  }
  return 'continue';
}

function renew(place: Place, { peer, records }: Step): void {
  const file = peer.stateAt(place.folder, place.name);
  const owner = file === undefined ? undefined : records.below(file);
  if (owner === undefined) return;
  const name = `.tsbuild-${randomBytes(8).toString('hex')}`;
  const [old, fresh] = [pathOf(place), pathOf({ ...place, name })];
  try {
    copyNode(old, fresh);
    const fd = openat(place.folder, peer.put(name, at.name), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    records.keep(fd, owner);
    close(fd);
    renameSync(fresh, old);
  } catch {
    // Then it is moved as it is.
    rmSync(fresh, { force: true });
  }
}

/** A link or a fifo, with its time. */
function copyNode(from: Buffer, to: Buffer): void {
  const stat = lstatSync(from, { bigint: true });
  if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from, { encoding: 'buffer' }), to);
  else mknod(to, 'fifo', { mode: Number(stat.mode & 0o7777n) });
  utimensat(to, Number(stat.mtimeNs / 1_000_000_000n), Number(stat.mtimeNs % 1_000_000_000n));
}

/** By our own descriptor: no part of it can be exchanged for a link. */
function pathOf({ folder, name }: Place): Buffer {
  return Buffer.from(`/proc/self/fd/${folder}/${name}`, 'latin1');
}
