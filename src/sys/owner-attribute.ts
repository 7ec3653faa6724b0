import { chownSync, readFileSync } from 'node:fs';
import { errnoOf } from '../core/errors.ts';
import { isRootOwned, OWNER_ATTRIBUTE, type Owner, ownerText, parseOwner } from '../core/owner.ts';
import { lgetxattr, lremovexattr, lsetxattr } from './xattr.ts';

/** Gives a file to an owner; where only one id exists, that is kept with it instead. */
export function giveTo(path: string, { uid, gid }: Pick<Owner, 'uid' | 'gid'>): void {
  if (hasOneId()) writeOwner(path, { uid, gid });
  else chownSync(path, uid, gid);
}

let oneId: boolean | undefined;

/** Whether this process lives in a user namespace that knows one id. */
export function hasOneId(): boolean {
  oneId ??= /^\s*\d+\s+\d+\s+1\s*$/.test(readFileSync('/proc/self/uid_map', 'latin1'));
  return oneId;
}

/** Keeps an owner with a file; false where the file, or its file system, can carry no attribute. */
export function writeOwner(path: string | Buffer, owner: Owner): boolean {
  try {
    if (isRootOwned(owner)) removeOwner(path);
    else lsetxattr(path, OWNER_ATTRIBUTE, Buffer.from(ownerText(owner)));
    return true;
  } catch (error) {
    if (!cannotCarry(error)) throw error;
    return false;
  }
}

/** The owner that was kept with a file; undefined where none was, or what is there says none. */
export function readOwner(path: string | Buffer): Owner | undefined {
  try {
    return parseOwner(lgetxattr(path, OWNER_ATTRIBUTE).toString('latin1'));
  } catch (error) {
    if (errnoOf(error) === 'ENODATA' || cannotCarry(error)) return undefined;
    throw error;
  }
}

function removeOwner(path: string | Buffer): void {
  try {
    lremovexattr(path, OWNER_ATTRIBUTE);
  } catch (error) {
    if (errnoOf(error) !== 'ENODATA') throw error;
  }
}

/** Links, fifos and sockets (EPERM), and file systems without such attributes. */
function cannotCarry(error: unknown): boolean {
  return ['EPERM', 'EOPNOTSUPP', 'ENOTSUP'].includes(errnoOf(error) ?? '');
}
