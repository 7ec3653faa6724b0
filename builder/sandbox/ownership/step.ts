import type { Arena } from '../../../src/sys/arena.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../../../src/sys/descriptor.ts';
import type { Processes } from './credentials.ts';
import type { Notification } from './notification.ts';
import type { Peer } from './peer.ts';
import type { Records } from './records.ts';

/** All that the answers for one step are made from. */
export interface Step {
  readonly arena: Arena;
  readonly peer: Peer;
  readonly records: Records;
  readonly processes: Processes;
}

const ENOENT = 2;

/** Which arguments name a file. */
export interface FileArguments {
  readonly fd?: number;
  readonly path?: number;
  /** AT_* flags; without them, `follow` says what a link means. */
  readonly flags?: number;
  readonly follow?: boolean;
}

/** Opens the file that a call is about, as the process means it. */
export function openNamed(call: Notification, { peer }: Step, which: FileArguments): number {
  const folder = which.fd === undefined ? AT_FDCWD : call.descriptor(which.fd);
  if (which.path === undefined) return peer.openDescriptor(call.pid, folder);
  const flags = which.flags === undefined ? 0 : call.number(which.flags);
  const address = call.word(which.path);
  const path = address === 0n && (flags & AT_EMPTY_PATH) !== 0 ? '' : peer.text(call.pid, address);
  if (typeof path === 'number') return path;
  if (path === '') return (flags & AT_EMPTY_PATH) === 0 ? -ENOENT : peer.openDescriptor(call.pid, folder);
  const follow = which.flags === undefined ? which.follow === true : (flags & AT_SYMLINK_NOFOLLOW) === 0;
  return peer.open(call.pid, folder, path, { follow });
}
