import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { bytesOf, pathOf } from '../src/core/bytes.ts';
import { errnoOf } from '../src/core/errors.ts';
import type { Entry } from '../src/core/types.ts';
import { mknod, utimensat } from '../src/sys/file.ts';
import { makeOpaque, makeWhiteout } from '../src/sys/overlay.ts';
import { writeOwner } from '../src/sys/owner-attribute.ts';
import { lsetxattr } from '../src/sys/xattr.ts';
import { type LayerSink, layerError } from './apply.ts';
import { ownerOfEntry } from './recorded-owners.ts';
import { removeTree } from './scratch.ts';

/**
 * Unpacks a layer as overlayfs wants a lower directory: whiteouts and opaque marks as of sys/overlay.ts.
 * Fed by an `Applier`, so no parent of a path is ever a symlink; the folder itself is
 * private to us until it is whole. Owners are set before modes (chown takes setuid away) and both before attributes
 * (chown takes security.capability away); times of directories come last.
 *
 * Where the kernel refuses device nodes (user namespaces) an empty file of the same owner and mode stands for one; the
 * listing still says device. A tree of mapping `plain` is for its contents only: no owners, no devices, modes that let
 * us read. In one of mapping `single` all files are ours, and those that can carry it say whose they should be.
 *
 * A directory that the layer has something in but no entry for is 0755 and root's here, and not in the listing.
 */
export class TreeWriter implements LayerSink {
  readonly #root: string;
  readonly #plain: boolean;
  readonly #recorded: boolean;
  readonly #warn: (text: string) => void;
  readonly #folders = new Map<string, Entry | undefined>([['', undefined]]);
  readonly #own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  #fd: number | undefined;
  #file: Entry | undefined;

  /** `root` must not exist yet. */
  constructor(root: string, options: { readonly mapping: string; readonly warn: (text: string) => void }) {
    this.#root = root;
    this.#plain = options.mapping === 'plain';
    this.#recorded = options.mapping === 'single';
    this.#warn = options.warn;
    mkdirSync(root, { mode: 0o755 });
    chmodSync(root, 0o755);
  }

  entry(entry: Entry): void {
    const path = this.#at(entry.path);
    switch (entry.type) {
      case 'file':
        this.#fd = openSync(path, 'wx', 0o600);
        this.#file = entry;
        return;
      case 'dir':
        if (!this.#folders.has(entry.path)) mkdirSync(path, { mode: 0o700 });
        this.#folders.set(entry.path, entry);
        return;
      case 'hardlink':
        linkSync(this.#at(entry.link ?? ''), path);
        return;
      case 'symlink':
        symlinkSync(pathOf(entry.link ?? ''), path);
        this.#finishNode(entry, path);
        return;
      case 'opaque':
        makeOpaque(path);
        return;
      case 'whiteout':
        this.#whiteout(path);
        return;
      default:
        this.#node(entry, path);
    }
  }

  data(chunk: Buffer): void {
    if (this.#fd === undefined) return;
    for (let at = 0; at < chunk.length; ) at += writeSync(this.#fd, chunk, at);
  }

  end(): void {
    if (this.#fd === undefined || this.#file === undefined) return;
    const [fd, entry] = [this.#fd, this.#file];
    this.#fd = undefined;
    try {
      if (!this.#isOurs(entry)) own(entry, () => fchownSync(fd, entry.uid, entry.gid));
      fchmodSync(fd, this.#plain ? (entry.mode & 0o777) | 0o600 : entry.mode);
      this.#setXattrs(entry);
      if (isPlainTime(entry)) futimesSync(fd, entry.mtime, entry.mtime);
    } finally {
      closeSync(fd);
    }
    if (!isPlainTime(entry)) utimensat(this.#at(entry.path), entry.mtime, entry.mtimeNs ?? 0);
  }

  implied(path: string): void {
    if (this.#folders.has(path)) return;
    mkdirSync(this.#at(path), { mode: 0o755 });
    chmodSync(this.#at(path), 0o755);
    this.#folders.set(path, undefined);
  }

  remove(path: string): void {
    removeTree(this.#full(path));
    if (!this.#folders.delete(path)) return;
    for (const below of this.#folders.keys()) if (below.startsWith(`${path}/`)) this.#folders.delete(below);
  }

  /** Gives the directories what only now lasts: owner, mode, attributes, times. */
  finish(): void {
    for (const entry of this.#folders.values()) {
      if (entry === undefined) continue;
      const path = this.#at(entry.path);
      if (!this.#isOurs(entry)) own(entry, () => lchownSync(path, entry.uid, entry.gid));
      chmodSync(path, this.#plain ? (entry.mode & 0o777) | 0o700 : entry.mode);
      this.#setXattrs(entry);
    }
    for (const entry of this.#folders.values()) {
      if (entry !== undefined) setTime(entry, this.#at(entry.path));
    }
  }

  /** Closes what is open; for a layer that turned out to be bad. */
  abandon(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #node(entry: Entry, path: string | Buffer): void {
    if (this.#plain && entry.type !== 'fifo') return;
    try {
      mknod(path, entry.type as 'char' | 'block' | 'fifo', {
        mode: 0o600,
        ...(entry.device && { device: entry.device }),
      });
    } catch (error) {
      if (errnoOf(error) !== 'EPERM') throw error;
      closeSync(openSync(path, 'wx', 0o600));
    }
    this.#finishNode(entry, path);
  }

  #whiteout(path: string | Buffer): void {
    try {
      makeWhiteout(path);
    } catch (error) {
      if (!this.#plain || errnoOf(error) !== 'EPERM') throw error;
    }
  }

  #finishNode(entry: Entry, path: string | Buffer): void {
    if (!this.#isOurs(entry)) own(entry, () => lchownSync(path, entry.uid, entry.gid));
    if (entry.type !== 'symlink') chmodSync(path, entry.mode);
    this.#setXattrs(entry);
    setTime(entry, path);
  }

  #isOurs(entry: Entry): boolean {
    return this.#plain || this.#recorded || (entry.uid === this.#own.uid && entry.gid === this.#own.gid);
  }

  /** What the kernel refuses us is left out and said. */
  #setXattrs(entry: Entry): void {
    const owner = this.#recorded ? ownerOfEntry(entry) : undefined;
    if (owner !== undefined) writeOwner(this.#at(entry.path), owner);
    for (const [name, value] of Object.entries(entry.xattrs ?? {})) {
      try {
        lsetxattr(this.#at(entry.path), name, Buffer.from(value, 'latin1'));
      } catch (error) {
        const code = errnoOf(error) ?? '';
        if (!['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'EINVAL'].includes(code)) throw error;
        if (!this.#plain) this.#warn(`the attribute ${name} of "${entry.path}" cannot be set here (${code})`);
      }
    }
  }

  #full(path: string): string {
    return path === '' ? this.#root : `${this.#root}/${path}`;
  }

  #at(path: string): string | Buffer {
    return path.isWellFormed() ? this.#full(path) : bytesOf(this.#full(path));
  }
}

/** Node's own calls lose nothing for whole seconds from 1970 on, and cost less. */
function isPlainTime(entry: Entry): boolean {
  return entry.mtimeNs === undefined && entry.mtime >= 0;
}

function setTime(entry: Entry, path: string | Buffer): void {
  if (isPlainTime(entry)) lutimesSync(path, entry.mtime, entry.mtime);
  else utimensat(path, entry.mtime, entry.mtimeNs ?? 0);
}

function own(entry: Entry, chown: () => void): void {
  try {
    chown();
  } catch (error) {
    if (errnoOf(error) !== 'EINVAL') throw error;
    throw layerError(
      `holds "${entry.path}", which belongs to ${entry.uid}:${entry.gid}: an id that is not mapped here`,
      'Give yourself a larger range in /etc/subuid and /etc/subgid, or build as root.',
    );
  }
}
