import { BuildError } from '../../src/core/errors.ts';
import { isDeletion } from '../../src/core/marks.ts';
import type { Entry } from '../../src/core/types.ts';
import { isReserved } from '../../src/oci/tar-path.ts';
import type { ContextFile } from '../context/context.ts';
import { join, parentOf, type Resolved, resolveIn } from '../path-resolve.ts';
import type { LayeredView } from '../view.ts';
import type { ModeChange } from './copy-mode.ts';
import type { SourceFile } from './copy-source.ts';
import { linked, type Planned, plainly } from './planned.ts';

/** How made directories and placed files look. */
export interface Dress {
  /** `--chown`; without it files keep their source's owner and made directories are root's. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly mode: ModeChange;
  /** Time of made directories, in seconds since the epoch. */
  readonly now: number;
}

type Look = Pick<Entry, 'mode' | 'uid' | 'gid'>;

/**
 * A layer in the making, on top of what is below: knows what a path will be once the layer is applied. Paths are
 * relative to the root; the caller resolves links first.
 */
export class Plan {
  readonly #below: LayeredView;
  readonly #dress: Dress;
  readonly #planned = new Map<string, Planned>();
  /** Directories that do not exist below: nothing below can be in them. */
  readonly #fresh = new Set<string>();
  /** Directories asked for, by the root that they were asked for under, and where they are once links are followed. */
  readonly #made = new Map<string, string>();

  constructor(below: LayeredView, dress: Dress) {
    this.#below = below;
    this.#dress = dress;
  }

  async lookup(path: string): Promise<Entry | undefined> {
    const planned = this.#planned.get(path);
    if (planned !== undefined) return planned.entry;
    return this.#isHidden(path) ? undefined : await this.#below.lookup(path);
  }

  resolve(path: string, followLast = true): Promise<Resolved> {
    return resolveIn((at) => this.lookup(at), path, followLast);
  }

  /**
   * Makes a directory and those above it, where missing, following links; returns its resolved path. Fails with
   * `context` where something else is in the way.
   */
  makeDirectory(path: string, mode = this.#dress.mode.created): Promise<string> {
    return this.#directory(path, { root: '', look: { mode, uid: 0, gid: 0, ...this.#dress.owner } });
  }

  /** The same for a directory that an archive only implies: links lead nowhere out of `root`, and it is root's, 0755. */
  makeImplied(root: string, path: string): Promise<string> {
    return this.#directory(path, { root, look: { mode: 0o755, uid: 0, gid: 0 } });
  }

  /** Where a path leads if `root` is the root directory; relative to it. */
  resolveUnder(root: string, path: string, followLast: boolean): Promise<Resolved> {
    return resolveIn((at) => this.lookup(join(root, at)), path, followLast);
  }

  /** Gives a directory that this layer makes the time of the one whose contents go into it. */
  takeTime(path: string, { entry: { mtime } }: SourceFile): void {
    const planned = this.#planned.get(path);
    if (planned !== undefined && this.#fresh.has(path))
      this.#set(path, { entry: { ...planned.entry, mtime } });
  }

  /** Places a directory of the source: merges with one that exists, which takes its attributes. */
  async placeDirectory(path: string, source: SourceFile): Promise<void> {
    const existing = await this.#existing(path);
    if (existing !== undefined && existing.type !== 'dir') throw notADirectory(path);
    if (existing === undefined) this.#fresh.add(path);
    this.#set(path, { entry: this.#dressed(source.entry, path) });
  }

  /** Places a directory for what will be in it: one that exists keeps all but its mode, which is the source's. */
  async placeParent(path: string, source: SourceFile): Promise<void> {
    const existing = await this.#existing(path);
    if (existing?.type !== 'dir') return await this.placeDirectory(path, source);
    this.#set(path, { entry: plainly(existing, path, { ...existing, mode: source.entry.mode }) });
  }

  /**
   * Places anything that is no directory; replaces what is there, but not a directory. Hard links are kept among
   * files placed with the same `item`.
   */
  async placeFile(path: string, source: SourceFile, item: number): Promise<void> {
    const existing = await this.#existing(path);
    if (existing?.type === 'dir') throw notAFile(path);
    const planned = { entry: this.#dressed(source.entry, path), content: source };
    const { sameFile } = source;
    this.#set(path, sameFile === undefined ? planned : { ...planned, group: `${item}:${sameFile}` });
  }

  /** Places bytes as a file 0644 of root. */
  async placeBytes(path: string, bytes: Buffer): Promise<void> {
    const existing = await this.lookup(path);
    if (existing?.type === 'dir') throw notAFile(path);
    const plain = { path, type: 'file' as const, mode: 0o644, uid: 0, gid: 0, size: bytes.length };
    this.#set(path, { entry: this.#dressed({ ...plain, mtime: this.#dress.now }, path), content: bytes });
  }

  /** Places an entry of an archive: whatever is there gives way, a directory with all it holds. */
  async placeOver(path: string, source: ContextFile): Promise<void> {
    const existing = await this.lookup(path);
    const isDirectory = source.entry.type === 'dir';
    if (existing?.type === 'dir' && !isDirectory) this.#dropBelow(path);
    if (existing?.type !== 'dir' && isDirectory) this.#fresh.add(path);
    const entry = { ...plainly(source.entry, path), ...this.#dress.owner };
    if (!isDirectory && existing !== undefined) this.#made.clear();
    const { sameFile, absolute } = source;
    this.#set(path, sameFile === undefined ? { entry } : { entry, content: absolute, group: absolute });
  }

  /**
   * Everything to write, in path order. Directories above it are written too, with the attributes that they have
   * below, so that an unpacked tree of this layer shows them as they are. Hard links of one source are links again.
   */
  async entries(): Promise<Planned[]> {
    for (const path of [...this.#planned.keys()]) await this.#addParents(path);
    const sorted = [...this.#planned.values()].sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1));
    return linked(sorted);
  }

  #isHidden(path: string): boolean {
    if (path === '') return false;
    const parent = parentOf(path);
    const above = this.#planned.get(parent);
    return (
      this.#fresh.has(parent) || (above !== undefined && above.entry.type !== 'dir') || this.#isHidden(parent)
    );
  }

  /** The common case of a path in a directory that this very layer makes needs no look below. */
  #existing(path: string): Entry | undefined | Promise<Entry | undefined> {
    const planned = this.#planned.get(path);
    if (planned !== undefined) return planned.entry;
    return this.#fresh.has(parentOf(path)) ? undefined : this.lookup(path);
  }

  async #directory(path: string, under: { readonly root: string; readonly look: Look }): Promise<string> {
    const { root, look } = under;
    const key = `${root}\0${path}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    let at = '';
    for (const component of path.split('/').filter((name) => name !== '')) {
      const { path: next, entry } = await this.resolveUnder(root, join(at, component), true);
      if (entry === undefined && parentOf(next) !== at) await this.#directory(parentOf(next), under);
      if (entry === undefined) this.#make(join(root, next), look);
      else if (entry.type !== 'dir') throw notADirectory(join(root, next));
      at = next;
    }
    this.#made.set(key, join(root, at));
    return join(root, at);
  }

  #make(path: string, look: Look): void {
    this.#fresh.add(path);
    this.#set(path, { entry: { path, type: 'dir', ...look, size: 0, mtime: this.#dress.now } });
  }

  #dressed(entry: Entry, path: string): Entry {
    const { owner, mode } = this.#dress;
    const changed = entry.type === 'symlink' ? entry.mode : mode.apply(entry.mode, entry.type === 'dir');
    return plainly(entry, path, {
      uid: owner?.uid ?? entry.uid,
      gid: owner?.gid ?? entry.gid,
      mode: changed,
    });
  }

  #set(path: string, planned: Planned): void {
    if (isReserved(path)) {
      throw noPart(path, 'names that begin with .wh. mean deletions there', 'Rename the file');
    }
    if (isDeletion(planned.entry)) {
      throw noPart(path, 'a character device 0:0 means a deletion there', 'Remove the node');
    }
    this.#planned.set(path, planned);
  }

  #dropBelow(path: string): void {
    const prefix = `${path}/`;
    for (const at of this.#planned.keys()) if (at.startsWith(prefix)) this.#planned.delete(at);
  }

  async #addParents(path: string): Promise<void> {
    for (let at = parentOf(path); path !== '' && !this.#planned.has(at); at = parentOf(at)) {
      const entry = await this.#below.lookup(at);
      const plain = entry === undefined || (at === '' && isPlain(entry));
      if (!plain) this.#planned.set(at, { entry: plainly(entry, at) });
      if (at === '') return;
    }
  }
}

/** The root is named only where it is not what every unpacker makes of an unnamed one. */
function isPlain({ mode, uid, gid, xattrs }: Entry): boolean {
  return mode === 0o755 && uid === 0 && gid === 0 && xattrs === undefined;
}

function noPart(path: string, why: string, remedy: string): BuildError {
  return new BuildError('context', `"/${path}" cannot be part of a layer: ${why}`, {
    hint: `${remedy}, or add it to the ignore file.`,
  });
}

function notADirectory(path: string): BuildError {
  return new BuildError('context', `cannot copy to non-directory: /${path}`, {
    hint: `In the image "/${path}" is a file or link: copy to another path, or remove it in an earlier RUN.`,
  });
}

function notAFile(path: string): BuildError {
  return new BuildError('context', `cannot replace to directory /${path} with file`, {
    hint: `In the image "/${path}" is a directory: end the destination with "/${path}/" to copy into it.`,
  });
}
