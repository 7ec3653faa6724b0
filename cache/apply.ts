import { BuildError } from '../src/core/errors.ts';
import { isDeletion } from '../src/core/marks.ts';
import type { Entry, EntryType } from '../src/core/types.ts';
import type { TarHandler } from '../src/oci/tar-read.ts';

/** Takes the entries of a layer as they take effect; see `Applier`. */
export interface LayerSink extends TarHandler {
  /** What stood at this path in the layer, and below it, gives way to the next entry. */
  remove?(path: string): void;
  /** A directory that the layer has something in but no entry for. */
  implied?(path: string): void;
}

const mostHops = 40;

/**
 * Gives the entries of a layer's tar to several sinks as they take effect when the layer is applied (image-spec,
 * layer.md): parents exist, a later entry replaces an earlier one, paths that lead through a symlink of the same layer
 * are led on within the root, and a whiteout acts on lower layers only. So the listing and the tree of a layer
 * agree, and no path that reaches a sink has a symlink among its parents.
 */
export class Applier implements TarHandler {
  readonly #sinks: readonly LayerSink[];
  readonly #seen = new Map<string, EntryType>();
  readonly #links = new Map<string, string>();
  /** Parents already known to be directories, as written → as resolved. */
  readonly #parents = new Map<string, string>([['', '']]);
  #open = false;

  constructor(sinks: readonly LayerSink[]) {
    this.#sinks = sinks;
  }

  entry(entry: Entry): void {
    refuseHostile(entry);
    if (entry.type === 'opaque') {
      this.#opaque(this.#resolveFolder(entry.path));
      return;
    }
    const path = this.#resolve(entry.path);
    const former = this.#seen.get(path);
    if (entry.type === 'whiteout') this.#whiteout(path, former, entry);
    else this.#put(path, former, entry);
  }

  data(chunk: Buffer): void {
    if (this.#open) for (const sink of this.#sinks) sink.data(chunk);
  }

  end(): void {
    if (this.#open) for (const sink of this.#sinks) sink.end?.();
    this.#open = false;
  }

  #put(path: string, former: EntryType | undefined, entry: Entry): void {
    const isDir = entry.type === 'dir';
    if (former !== undefined && !(isDir && former === 'dir')) this.#remove(path, former === 'dir');
    const link = entry.type === 'hardlink' ? this.#hardlinkTarget(entry) : entry.link;
    this.#seen.set(path, entry.type);
    if (entry.type === 'symlink') this.#addSymlink(path, entry.link ?? '');
    const moved = path !== entry.path || link !== entry.link;
    this.#emit(moved ? { ...entry, path, ...(link !== undefined && { link }) } : entry);
    if (former === 'whiteout' && isDir) this.#emitWhole(opaqueAt(path));
  }

  /** Inside one layer a whiteout hides nothing of the layer itself: only what lower layers have in a directory. */
  #whiteout(path: string, former: EntryType | undefined, entry: Entry): void {
    if (former === 'dir') this.#emit(opaqueAt(path));
    if (former !== undefined) return;
    this.#seen.set(path, 'whiteout');
    this.#emit(path === entry.path ? entry : { ...entry, path });
  }

  #opaque(path: string): void {
    this.#emit(opaqueAt(path));
  }

  #emit(entry: Entry): void {
    this.#open = true;
    for (const sink of this.#sinks) sink.entry(entry);
  }

  #emitWhole(entry: Entry): void {
    for (const sink of this.#sinks) {
      sink.end?.();
      sink.entry(entry);
    }
    this.#open = true;
  }

  #remove(path: string, whole: boolean): void {
    for (const sink of this.#sinks) sink.remove?.(path);
    this.#seen.delete(path);
    this.#forgetLinks(path);
    if (!whole) return;
    for (const below of this.#seen.keys()) {
      if (!below.startsWith(`${path}/`)) continue;
      this.#seen.delete(below);
      this.#links.delete(below);
    }
    this.#forgetParents();
  }

  #addSymlink(path: string, target: string): void {
    this.#links.set(path, target);
    this.#forgetParents();
  }

  #forgetLinks(path: string): void {
    if (this.#links.delete(path)) this.#forgetParents();
  }

  #forgetParents(): void {
    this.#parents.clear();
    this.#parents.set('', '');
  }

  /** Where an entry takes effect: its parents resolved and made, its own name never followed. */
  #resolve(path: string): string {
    const slash = path.lastIndexOf('/');
    if (slash < 0) return path;
    const parent = this.#resolveFolder(path.slice(0, slash));
    return parent === '' ? path.slice(slash + 1) : `${parent}${path.slice(slash)}`;
  }

  #resolveFolder(path: string): string {
    const known = this.#parents.get(path);
    if (known !== undefined) return known;
    const resolved = this.#follow(path);
    this.#makeFolders(resolved);
    this.#parents.set(path, resolved);
    return resolved;
  }

  /** Follows the layer's symlinks within the root, the last component's too; `..` stops at the root. */
  #follow(path: string): string {
    let hops = 0;
    const todo = path.split('/').reverse();
    const done: string[] = [];
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        done.pop();
        continue;
      }
      done.push(part);
      const target = this.#links.get(done.join('/'));
      if (target === undefined) continue;
      if (++hops > mostHops) throw layerError(`holds "${path}", whose symlinks go in circles`);
      done.pop();
      if (target.startsWith('/')) done.length = 0;
      todo.push(...target.split('/').reverse());
    }
    return done.join('/');
  }

  #makeFolders(path: string): void {
    for (let end = path.indexOf('/'); path !== ''; end = path.indexOf('/', end + 1)) {
      const folder = end < 0 ? path : path.slice(0, end);
      this.#makeFolder(folder);
      if (end < 0) return;
    }
  }

  #makeFolder(path: string): void {
    const type = this.#seen.get(path);
    if (type === 'dir') return;
    if (type !== undefined && type !== 'whiteout')
      throw layerError(`holds an entry below "${path}", which is no directory`);
    if (type === 'whiteout') for (const sink of this.#sinks) sink.remove?.(path);
    this.#seen.set(path, 'dir');
    for (const sink of this.#sinks) sink.implied?.(path);
    if (type === 'whiteout') {
      this.#emit(opaqueAt(path));
      this.end();
    }
  }

  #hardlinkTarget(entry: Entry): string {
    const target = this.#resolve(entry.link ?? '');
    const type = this.#seen.get(target);
    if (type === undefined || type === 'dir' || type === 'whiteout') {
      throw layerError(
        `holds "${entry.path}", a hard link to "${entry.link}", which is no file of the same layer`,
      );
    }
    return target;
  }
}

/** A layer that cannot be used; the words follow "the layer". */
export function layerError(what: string, hint?: string): BuildError {
  return new BuildError('layer', `the layer ${what}`, hint === undefined ? {} : { hint });
}

function opaqueAt(path: string): Entry {
  return { path, type: 'opaque', mode: 0, uid: 0, gid: 0, size: 0, mtime: 0 };
}

/** A device 0:0 in a lower directory would hide files of other layers behind the listing's back. */
function refuseHostile(entry: Entry): void {
  if (isDeletion(entry)) {
    throw layerError(`holds "${entry.path}", a character device 0:0, which overlayfs takes for a deletion`);
  }
}
