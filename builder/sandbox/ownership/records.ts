import {
  type InodeOwner,
  OWNER_ATTRIBUTE,
  type Owner,
  ownerText,
  parseOwner,
  rootOwner,
} from '../../../src/core/owner.ts';
import type { Arena } from '../../../src/sys/arena.ts';
import { AT_EMPTY_PATH, fchownat, getxattr, removexattr, setxattr } from '../../../src/sys/descriptor.ts';
import { at } from './notification.ts';
import type { FileState, Peer } from './peer.ts';

/** chown(2)'s "leave it as it is". */
export const KEEP = 0xffffffff;

const REGULAR = 0o100000;
const DIRECTORY = 0o040000;
const TYPE = 0o170000;

/**
 * Who the files of one step belong to, as the step sees it: kept with regular files and directories themselves, and by
 * inode and time of birth for all that cannot carry it.
 */
export class Records {
  readonly #arena: Arena;
  readonly #peer: Peer;
  readonly #journal: Map<string, string>;
  /** Files of layers below, by inode: that they keep when they are copied up, and are born anew. */
  readonly #below: ReadonlyMap<string, string>;

  /** `overlaid`: what is known lies in layers below, and not in a copy of them. */
  constructor(
    of: Arena,
    peer: Peer,
    { known, overlaid }: { readonly known: readonly InodeOwner[]; readonly overlaid: boolean },
  ) {
    this.#arena = of;
    this.#peer = peer;
    this.#journal = new Map(known.map(({ inode, born, owner }) => [`${inode} ${born}`, owner]));
    this.#below = new Map(overlaid ? known.map(({ inode, owner }) => [inode, owner]) : []);
  }

  get knowsBelow(): boolean {
    return this.#below.size > 0;
  }

  /** The owner that a layer below says of a file which cannot carry it; undefined for all others. */
  below(file: FileState): Owner | undefined {
    const text = carries(file) ? undefined : this.#below.get(String(file.inode));
    return text === undefined ? undefined : parseOwner(text);
  }

  get journal(): InodeOwner[] {
    return [...this.#journal].map(([key, owner]) => {
      const [inode = '', born = ''] = key.split(' ');
      return { inode, born, owner };
    });
  }

  /** What is recorded of an open file; undefined where it is root's. */
  find(fd: number, file: FileState): Owner | undefined {
    const noted = this.#journal.size === 0 ? undefined : this.#journal.get(keyOf(file));
    const text = noted ?? (carries(file) ? this.#attribute(fd) : undefined);
    return text === undefined ? this.below(file) : parseOwner(text);
  }

  /**
   * Gives a file another owner. The kernel is asked to as well, in terms of the one id that exists: it refuses where it
   * would have refused, clears setuid and capabilities, and copies a file of a lower layer up.
   */
  change(fd: number, uid: number, gid: number): number {
    const real = { uid: uid === KEEP ? KEEP : 0, gid: gid === KEEP ? KEEP : 0, flags: AT_EMPTY_PATH };
    const before = this.#peer.stateOf(fd);
    // Of a file that stands for no device, and gets a new owner and a new group, nothing old is kept.
    const isNew = uid !== KEEP && gid !== KEEP && before !== undefined && !mayStandForDevice(before);
    const old = (before === undefined || isNew ? undefined : this.find(fd, before)) ?? rootOwner;
    const result = fchownat(fd, this.#peer.put('', at.empty), real);
    if (result < 0) return result;
    const owner = { ...old, uid: uid === KEEP ? old.uid : uid, gid: gid === KEEP ? old.gid : gid };
    // What carries its owner is known by no inode, which may be another now.
    this.#keep(fd, before !== undefined && carries(before) ? before : this.#peer.stateOf(fd), owner);
    return 0;
  }

  /** Records an owner, and what device a file stands for. */
  keep(fd: number, owner: Owner): void {
    this.#keep(fd, this.#peer.stateOf(fd), owner);
  }

  #keep(fd: number, file: FileState | undefined, owner: Owner): void {
    if (file === undefined) return;
    const text = ownerText(owner);
    if (!carries(file)) this.#journal.set(keyOf(file), text);
    else if (this.#setAttribute(fd, text)) this.#forget(file);
    else this.#journal.set(keyOf(this.#peer.stateOf(fd) ?? file), text);
  }

  #forget(file: FileState): void {
    if (this.#journal.size > 0) this.#journal.delete(keyOf(file));
  }

  #attribute(fd: number): string | undefined {
    const into = { address: this.#arena.address + at.value, length: 100 };
    const length = getxattr(this.#self(fd), this.#peer.put(OWNER_ATTRIBUTE, at.attribute), into);
    return length < 0 ? undefined : this.#arena.bytes.toString('latin1', at.value, at.value + length);
  }

  #setAttribute(fd: number, text: string): boolean {
    const name = this.#peer.put(OWNER_ATTRIBUTE, at.attribute);
    if (text === '0:0') {
      const removed = removexattr(this.#self(fd), name);
      return removed >= 0 || removed === -ENODATA;
    }
    const length = this.#arena.bytes.write(text, at.value, 'latin1');
    return setxattr(this.#self(fd), name, { address: this.#arena.address + at.value, length }) >= 0;
  }

  /** A descriptor that only stands for a place has its attributes by this path. */
  #self(fd: number): number {
    return this.#peer.put(`/proc/self/fd/${fd}`, at.procPath);
  }
}

const ENODATA = 61;

function carries({ mode }: FileState): boolean {
  return (mode & TYPE) === REGULAR || (mode & TYPE) === DIRECTORY;
}

/** An empty file stands for a device where it says so. */
function mayStandForDevice({ mode, size }: FileState): boolean {
  return (mode & TYPE) === REGULAR && size === 0n;
}

function keyOf({ inode, born }: FileState): string {
  return `${inode} ${born}`;
}
