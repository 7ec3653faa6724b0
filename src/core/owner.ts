/**
 * Where only one id exists (rung `single`), the owner that a file should have is kept in this attribute of regular files
 * and directories: `uid:gid`, and for a device, for which an empty file stands, `uid:gid:c:major:minor` (`b` for a block
 * device). It is ours alone: it is taken from no layer and enters none.
 */
export const OWNER_ATTRIBUTE = 'user.tsbuild.owner';

/** Whom a file belongs to, and what device it is. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
  readonly device?: Device;
}

export interface Device {
  readonly type: 'char' | 'block';
  readonly major: number;
  readonly minor: number;
}

/** The owner of a file that cannot carry the attribute, by its path. */
export interface PathOwner {
  readonly path: string;
  /** As the attribute would say it. */
  readonly owner: string;
}

/** The owner of a file that cannot carry the attribute, by its inode: these come again, so that their birth counts too. */
export interface InodeOwner {
  readonly inode: string;
  /** Nanoseconds since the epoch. */
  readonly born: string;
  readonly owner: string;
}

export const rootOwner: Owner = { uid: 0, gid: 0 };

export function isRootOwned({ uid, gid, device }: Owner): boolean {
  return uid === 0 && gid === 0 && device === undefined;
}

export function ownerText({ uid, gid, device }: Owner): string {
  if (device === undefined) return `${uid}:${gid}`;
  return `${uid}:${gid}:${device.type === 'char' ? 'c' : 'b'}:${device.major}:${device.minor}`;
}

/** Undefined for what is not of this form: a step may write the attribute as well. */
export function parseOwner(text: string): Owner | undefined {
  const [, uid, gid, type, major, minor] = form.exec(text) ?? [];
  if (uid === undefined) return undefined;
  const owner = { uid: Number(uid), gid: Number(gid) };
  if (owner.uid >= NO_ID || owner.gid >= NO_ID) return undefined;
  if (type === undefined) return owner;
  const device = {
    type: type === 'c' ? 'char' : 'block',
    major: Number(major),
    minor: Number(minor),
  } as const;
  // What overlayfs takes for a whiteout, and numbers that no device has.
  if (device.major === 0 && device.minor === 0) return undefined;
  return device.major < 2 ** 12 && device.minor < 2 ** 20 ? { ...owner, device } : undefined;
}

const form = /^(\d{1,10}):(\d{1,10})(?::([cb]):(\d{1,4}):(\d{1,7}))?$/;

/** -1, which says "leave it" to chown(2). */
const NO_ID = 0xffffffff;
