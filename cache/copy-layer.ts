import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { nameOf, pathOf } from '../src/core/bytes.ts';
import { errnoOf } from '../src/core/errors.ts';
import { dataRanges, majorMinor, mknod, utimensat } from '../src/sys/file.ts';
import { isOpaque, isWhiteout } from '../src/sys/overlay.ts';
import { lgetxattr, llistxattr, lremovexattr, lsetxattr } from '../src/sys/xattr.ts';

/** An unpacked layer to lay over what is there. */
export interface LaidLayer {
  /** Its tree. */
  readonly tree: string;
  /** Directories for which the layer has no entry: where there is one already it stays as it is. */
  readonly implied: readonly string[];
}

/**
 * Lays a layer over the folder `root`, as a mounted overlay would show it: what it hides goes, what it holds is copied
 * with owners, modes, attributes and times, files with several names stay one file, holes stay holes. Where the file
 * system can share blocks, contents are not copied. The folder's own owner and mode are left alone.
 *
 * No link is followed: `root` is private to us, and what stands in the way of a directory is removed first.
 */
export function layOver(root: string, { tree, implied }: LaidLayer): void {
  new Laying(root, { tree, implied: new Set(['', ...implied]) }).directory('');
}

/** Gives a path the owner, mode, attributes and times of another; the latter are known from `stat`. */
export function copyAttributes(from: string, to: string, stat: BigIntStats): void {
  own(to, stat);
  if (!stat.isSymbolicLink()) chmodSync(pathOf(to), Number(stat.mode) & 0o7777);
  copyXattrs(from, to);
  setTimes(to, stat);
}

/** Modification time and, the same, time of access. */
export function setTimes(path: string, { mtimeNs }: BigIntStats): void {
  const nanoseconds = ((mtimeNs % SECOND) + SECOND) % SECOND;
  utimensat(pathOf(path), Number((mtimeNs - nanoseconds) / SECOND), Number(nanoseconds));
}

export function namesIn(folder: string): string[] {
  return readdirSync(pathOf(folder), { encoding: 'buffer' }).map(nameOf);
}

export function statOf(path: string): BigIntStats | undefined {
  return lstatSync(pathOf(path), { bigint: true, throwIfNoEntry: false });
}

const SECOND = 1_000_000_000n;
const pieceBytes = 1 << 20;
const ownUid = process.geteuid?.() ?? 0;
const ownGid = process.getegid?.() ?? 0;

class Laying {
  readonly #root: string;
  readonly #tree: string;
  readonly #implied: ReadonlySet<string>;
  /** Files with several names: where the first was put. */
  readonly #first = new Map<bigint, string>();

  constructor(root: string, { tree, implied }: { tree: string; implied: ReadonlySet<string> }) {
    this.#root = root;
    this.#tree = tree;
    this.#implied = implied;
  }

  directory(path: string): void {
    const [from, to] = [this.#from(path), this.#to(path)];
    const stat = statOf(from)!;
    const there = statOf(to);
    const stays = there?.isDirectory() === true;
    if (stays && path !== '' && isOpaque(pathOf(from)))
      for (const name of namesIn(to)) remove(`${to}/${name}`);
    if (!stays) {
      if (there !== undefined) remove(to);
      mkdirSync(pathOf(to), { mode: 0o700 });
    }
    if (stays && !this.#implied.has(path)) dropXattrs(to);
    for (const name of namesIn(from)) this.#entry(path === '' ? name : `${path}/${name}`);
    if (stays && this.#implied.has(path)) setTimes(to, there);
    else copyAttributes(from, to, stat);
  }

  #entry(path: string): void {
    const stat = statOf(this.#from(path))!;
    if (stat.isDirectory()) {
      this.directory(path);
      return;
    }
    const to = this.#to(path);
    if (statOf(to) !== undefined) remove(to);
    if (isWhiteout(stat) || stat.isSocket()) return;
    const first = stat.nlink > 1n ? this.#first.get(stat.ino) : undefined;
    if (first !== undefined) {
      linkSync(pathOf(first), pathOf(to));
      return;
    }
    copyContent(this.#from(path), to, stat);
    copyAttributes(this.#from(path), to, stat);
    if (stat.nlink > 1n) this.#first.set(stat.ino, to);
  }

  #from(path: string): string {
    return path === '' ? this.#tree : `${this.#tree}/${path}`;
  }

  #to(path: string): string {
    return path === '' ? this.#root : `${this.#root}/${path}`;
  }
}

function remove(path: string): void {
  rmSync(pathOf(path), { recursive: true, force: true });
}

function copyContent(from: string, to: string, stat: BigIntStats): void {
  if (stat.isSymbolicLink()) {
    symlinkSync(readlinkSync(pathOf(from), { encoding: 'buffer' }), pathOf(to));
  } else if (!stat.isFile()) {
    const type = stat.isFIFO() ? 'fifo' : stat.isBlockDevice() ? 'block' : 'char';
    mknod(pathOf(to), type, { mode: 0o600, device: majorMinor(Number(stat.rdev)) });
  } else if (stat.blocks * 512n < stat.size) {
    copySparse(from, to, Number(stat.size));
  } else {
    copyFileSync(pathOf(from), pathOf(to), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
}

function copySparse(from: string, to: string, size: number): void {
  const source = openSync(pathOf(from), 'r');
  const target = openSync(pathOf(to), 'wx', 0o600);
  try {
    ftruncateSync(target, size);
    for (const { start, end } of dataRanges(source)) copyRange(source, target, { start, end });
  } finally {
    closeSync(source);
    closeSync(target);
  }
}

function copyRange(source: number, target: number, { start, end }: { start: number; end: number }): void {
  const piece = Buffer.allocUnsafe(Math.min(pieceBytes, end - start));
  for (let at = start; at < end; ) {
    const read = readSync(source, piece, 0, Math.min(piece.length, end - at), at);
    if (read === 0) return;
    for (let done = 0; done < read; ) done += writeSync(target, piece, done, read - done, at + done);
    at += read;
  }
}

/** Before the mode, for a change of owner takes setuid away. */
function own(path: string, { uid, gid }: BigIntStats): void {
  const [owner, group] = [Number(uid), Number(gid)];
  if (owner !== ownUid || group !== ownGid) lchownSync(pathOf(path), owner, group);
}

/** Attributes that belong to the file; labels of this machine come by themselves, an overlay's marks stay behind. */
const carried = /^(user\.(?!overlay\.)|security\.capability$|system\.posix_acl_(access|default)$)/;

function dropXattrs(path: string): void {
  for (const name of llistxattr(pathOf(path))) if (carried.test(name)) lremovexattr(pathOf(path), name);
}

function copyXattrs(from: string, to: string): void {
  for (const name of llistxattr(pathOf(from))) {
    if (!carried.test(name)) continue;
    try {
      lsetxattr(pathOf(to), name, lgetxattr(pathOf(from), name));
    } catch (error) {
      // It was set on the tree by the same right, so that only what another container took away can be missing.
      if (errnoOf(error) !== 'EPERM') throw error;
    }
  }
}
