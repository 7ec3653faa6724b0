import { AT_FDCWD } from '../../../src/sys/descriptor.ts';
import type { Notification } from './notification.ts';
import type { Step } from './step.ts';

const ENOENT = 2;

/** A name in a folder, which is open. */
export interface Place {
  readonly folder: number;
  readonly name: string;
}

/** Which arguments name a place, and how the process wants it to be looked up. */
export interface PlaceArguments {
  readonly fd?: number;
  readonly path: number;
}

/** The folder of the name that a call is about, opened; a negative errno where there is none. */
export function placeOf(
  call: Notification,
  { peer }: Step,
  { fd, path: index, resolve = 0 }: PlaceArguments & { readonly resolve?: number },
): Place | number {
  const path = peer.text(call.pid, call.word(index));
  if (typeof path === 'number') return path;
  const plain = path.replace(/(.)\/+$/, '$1');
  const slash = plain.lastIndexOf('/');
  const name = plain.slice(slash + 1);
  if (['', '.', '..'].includes(name)) return -ENOENT;
  const parent = slash < 0 ? '.' : plain.slice(0, slash) || '/';
  const from = fd === undefined ? AT_FDCWD : call.descriptor(fd);
  const folder = peer.open(call.pid, from, parent, { follow: true, directory: true, resolve });
  return folder < 0 ? folder : { folder, name };
}
