import type { Stats, StatsBase } from 'node:fs';
import { BuildError, errnoOf } from '../core/errors.ts';
import { mknod } from './file.ts';
import { lgetxattr, lremovexattr, lsetxattr } from './xattr.ts';

/**
 * The marks by which a directory says, in an overlay, what it hides of those below it (kernel: overlayfs.rst). A whiteout
 * is a character device 0:0. Where the store itself lies on an overlay the kernel makes no such device; a socket without
 * any permission stands for one there: no layer holds sockets, and no overlay will be mounted of that tree either.
 */

type AnyStats = Stats | StatsBase<bigint>;

const SOCKET_MODE = 0o140000;

export function isWhiteout(stat: AnyStats): boolean {
  return stat.isCharacterDevice() ? Number(stat.rdev) === 0 : isSocketMark(stat);
}

/** Makes a whiteout at a path where nothing is. */
export function makeWhiteout(path: string | Buffer): void {
  try {
    mknod(path, 'char', { mode: 0, device: { major: 0, minor: 0 } });
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') throw error;
    mknod(path, 'socket', { mode: 0 });
  }
}

/** True where the directory hides all that is below it, for overlays that are mounted with `userxattr`, as ours are. */
export function isOpaque(directory: string | Buffer): boolean {
  try {
    return lgetxattr(directory, OPAQUE).toString() === 'y';
  } catch (error) {
    if (errnoOf(error) === 'ENODATA' || cannotCarry(error)) return false;
    throw error;
  }
}

/** Throws `store` where the file system carries no such mark. */
export function makeOpaque(directory: string | Buffer): void {
  try {
    lsetxattr(directory, OPAQUE, Buffer.from('y'));
  } catch (error) {
    if (!cannotCarry(error)) throw error;
    throw new BuildError('store', `the file system of ${directory} keeps no attributes of files (user.*)`, {
      hint: 'A layer that replaces a directory needs them: put the store on ext4, xfs, btrfs, or tmpfs of Linux 6.6 or later, with --root or TSBUILD_ROOT.',
      cause: error,
    });
  }
}

/** Node says one of two names of the same error. */
function cannotCarry(error: unknown): boolean {
  return ['ENOTSUP', 'EOPNOTSUPP'].includes(errnoOf(error) ?? '');
}

export function dropOpaque(directory: string | Buffer): void {
  lremovexattr(directory, OPAQUE);
}

const OPAQUE = 'user.overlay.opaque';

function isSocketMark(stat: AnyStats): boolean {
  return Number(stat.mode) === SOCKET_MODE;
}
