import { readlinkSync } from 'node:fs';
import type { Arena } from '../../../src/sys/arena.ts';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  close,
  getxattr,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  openat,
  openat2,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  statx,
} from '../../../src/sys/descriptor.ts';
import { PeerMemory } from '../../../src/sys/peer-memory.ts';
import { at } from './notification.ts';
import { Proc } from './proc.ts';

/** A file as the kernel tells it. */
export interface FileState {
  readonly mode: number;
  readonly inode: bigint;
  /** Nanoseconds since the epoch. */
  readonly born: bigint;
  readonly size: bigint;
}

export interface Lookup {
  readonly follow: boolean;
  /** What is opened has to be a directory. */
  readonly directory?: boolean;
  /** RESOLVE_* of openat2(2) that the process itself asks for. */
  readonly resolve?: number;
}

/** The longest path, and its end. */
const PATH_BYTES = 4096;
const PAGE = 4096n;
const ENOENT = 2;
const EBADF = 9;
const ENOTDIR = 20;
const ENAMETOOLONG = 36;
const EXDEV = 18;
const BASIC_AND_BIRTH = 0xfff;

/**
 * Files of a supervised process, opened as it would find them and never outside of its own root: its links are followed
 * by the kernel, in its root (openat2), and magic links of /proc not at all. Failures are negative errnos.
 */
export class Peer {
  readonly #arena: Arena;
  readonly memory: PeerMemory;
  readonly proc: Proc;

  constructor(of: Arena) {
    this.#arena = of;
    this.memory = new PeerMemory(of, at.vectors);
    this.proc = new Proc(of);
  }

  /** A path in the memory of a process, a character a byte; undefined where there is none. */
  text(pid: number, address: bigint): string | number {
    let text = '';
    let from = address;
    while (text.length < PATH_BYTES) {
      const length = Math.min(Number(PAGE - (from % PAGE)), PATH_BYTES - text.length);
      const read = this.memory.read(pid, from, { offset: at.text, length });
      if (read <= 0) return -14;
      const piece = this.#arena.bytes.subarray(at.text, at.text + read);
      const end = piece.indexOf(0);
      text += piece.toString('latin1', 0, end < 0 ? read : end);
      if (end >= 0) return text;
      from += BigInt(read);
    }
    return -ENAMETOOLONG;
  }

  /** What a path means to a process, as a descriptor that stands for the place alone. */
  open(pid: number, folder: number, path: string, lookup: Lookup): number {
    if (path === '') return -ENOENT;
    const own = ownLink(pid, path, this.proc);
    if (own?.rest === '' && lookup.follow) return this.openProc(own.link);
    if (own !== undefined && own.rest !== '') return this.#openBelow(pid, own.link, own.rest, lookup);
    if (path.startsWith('/') && !isHeld(lookup)) return this.#inRoot(pid, path, lookup);
    return this.#openBelow(pid, folder === AT_FDCWD ? `${pid}/cwd` : `${pid}/fd/${folder}`, path, lookup);
  }

  openDescriptor(pid: number, fd: number): number {
    const found = fd === AT_FDCWD ? this.openProc(`${pid}/cwd`) : this.openProc(`${pid}/fd/${fd}`);
    return found < 0 ? -EBADF : found;
  }

  openProc(name: string): number {
    return openat(AT_FDCWD, this.put(`/proc/${name}`, at.procPath), O_PATH | O_CLOEXEC);
  }

  stateOf(fd: number): FileState | undefined {
    const into = this.#arena.address + at.statx;
    const options = { flags: AT_EMPTY_PATH, mask: BASIC_AND_BIRTH, into };
    return statx(fd, this.put('', at.empty), options) < 0 ? undefined : this.#state();
  }

  /** The state of a name in a folder, which is not followed; undefined where nothing is there. */
  stateAt(folder: number, name: string): FileState | undefined {
    const into = this.#arena.address + at.statx;
    const options = { flags: AT_SYMLINK_NOFOLLOW, mask: BASIC_AND_BIRTH, into };
    return statx(folder, this.put(name, at.name), options) < 0 ? undefined : this.#state();
  }

  hasAttribute(fd: number, name: string): boolean {
    const path = this.put(`/proc/self/fd/${fd}`, at.procPath);
    return getxattr(path, this.put(name, at.attribute), { address: 0, length: 0 }) >= 0;
  }

  /** Writes text and its end into the arena; gives its address. */
  put(text: string, offset: number): number {
    const length = this.#arena.bytes.write(text, offset, 'latin1');
    this.#arena.bytes[offset + length] = 0;
    return this.#arena.address + offset;
  }

  #state(): FileState {
    const { bytes } = this.#arena;
    const base = at.statx;
    return {
      mode: bytes.readUInt16LE(base + 28),
      inode: bytes.readBigUInt64LE(base + 32),
      born: bytes.readBigInt64LE(base + 80) * 1_000_000_000n + BigInt(bytes.readUInt32LE(base + 88)),
      size: bytes.readBigUInt64LE(base + 40),
    };
  }

  #inRoot(pid: number, path: string, lookup: Lookup): number {
    const root = this.openProc(`${pid}/root`);
    if (root < 0) return root;
    const found = this.#openAt(root, path, lookup, RESOLVE_IN_ROOT);
    close(root);
    return found;
  }

  /** A path that begins in a folder which a link of /proc leads to. */
  #openBelow(pid: number, base: string, path: string, lookup: Lookup): number {
    const start = this.openProc(base);
    if (start < 0) return -EBADF;
    const within = isHeld(lookup) ? 0 : RESOLVE_BENEATH;
    const found = this.#openAt(start, path, lookup, within);
    close(start);
    return found === -EXDEV && within !== 0 ? this.#climbing(pid, base, path, lookup) : found;
  }

  /** A relative path that climbs above where it starts, or meets an absolute link: taken as an absolute one. */
  #climbing(pid: number, base: string, path: string, lookup: Lookup): number {
    const [root, start] = [linkOf(`/proc/${pid}/root`), linkOf(`/proc/${base}`)];
    if (root === undefined || start === undefined) return -ENOENT;
    if (!start.startsWith('/')) return -ENOTDIR;
    const inside = root !== '/' && start.startsWith(root) ? start.slice(root.length) || '/' : start;
    return this.#inRoot(pid, `${inside}/${path}`, lookup);
  }

  #openAt(folder: number, path: string, { follow, directory, resolve = 0 }: Lookup, within: number): number {
    if (path.length >= PATH_BYTES) return -ENAMETOOLONG;
    const { bytes, address } = this.#arena;
    const flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW) | (directory === true ? O_DIRECTORY : 0);
    bytes.writeBigUInt64LE(BigInt(flags), at.how);
    bytes.writeBigUInt64LE(0n, at.how + 8);
    bytes.writeBigUInt64LE(BigInt(resolve | within | RESOLVE_NO_MAGICLINKS), at.how + 16);
    return openat2(folder, this.put(path, at.more), address + at.how);
  }
}

/** Within its starting folder a path is held by the process itself, and an absolute one begins there. */
function isHeld({ resolve = 0 }: Lookup): boolean {
  return (resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0;
}

/**
 * A link of /proc to something of the process itself, and what follows it in the path: such links lead nowhere for anybody
 * else.
 */
function ownLink(
  pid: number,
  path: string,
  proc: Proc,
): { readonly link: string; readonly rest: string } | undefined {
  const standard = /^\/dev\/(stdin|stdout|stderr)$/.exec(path)?.[1];
  if (standard !== undefined)
    return { link: `${pid}/fd/${['stdin', 'stdout', 'stderr'].indexOf(standard)}`, rest: '' };
  const form = /^\/(?:proc\/(self|thread-self|\d+)\/(root|cwd|fd\/\d+)|dev\/(fd\/\d+))(?:\/+([\s\S]*))?$/;
  const [, whose, link = '', device, rest = ''] = form.exec(path) ?? [];
  if (device !== undefined) return { link: `${pid}/${device}`, rest };
  if (whose === undefined) return undefined;
  const isOwn = whose.endsWith('self') || proc.statusField(pid, 'NSpid')?.split(/\s+/).at(-1) === whose;
  return isOwn ? { link: `${pid}/${link}`, rest } : undefined;
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
