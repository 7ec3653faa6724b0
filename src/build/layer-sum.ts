import type { Entry, Layer, Listing } from '../core/types.ts';

/** An entry of a sum: where a file's bytes are in the layer that it came with. */
export interface SummedEntry {
  readonly entry: Entry;
  readonly layer: Layer;
  /** In the layer: a hard link's bytes have another name. */
  readonly path: string;
}

/**
 * What layers on top of each other amount to: their entries, and the marks that hide what is below all of them. Names of
 * one file within a layer stay hard links.
 */
export class LayerSum {
  readonly #found = new Map<string, SummedEntry>();
  /** `whiteout`: nothing of that name is below any more; `opaque`: nothing in the folder of that name. */
  readonly #marks = new Map<string, 'whiteout' | 'opaque'>();
  /** Folders that something of the above is in. */
  readonly #folders = new Set<string>();
  #last: Layer | undefined;

  /** Puts a layer on top of those so far. */
  add(layer: Layer, listing: Listing): void {
    this.#last = layer;
    // Marks are about what is below the layer, wherever they stand in it.
    for (const { type, path } of listing)
      if (type === 'whiteout' || type === 'opaque') this.#hide(path, type);
    const files = new Map(listing.map((entry) => [entry.path, entry]));
    for (const entry of listing) {
      if (entry.type === 'whiteout' || entry.type === 'opaque') continue;
      this.#put(summed(entry, layer, files));
    }
  }

  /** Folders before what is in them, a file before its further names. */
  *entries(): Generator<SummedEntry> {
    const layer = this.#last;
    const marks = [...this.#marks].map(([path, type]) => ({
      entry: markOf(path, type),
      layer: layer!,
      path,
    }));
    const first = new Map<string, string>();
    for (const one of [...this.#found.values(), ...marks].sort(inOrder)) {
      const { entry } = one;
      const key = `${one.layer.diffId}/${one.path}`;
      const known = entry.type === 'file' ? first.get(key) : undefined;
      if (entry.type === 'file' && known === undefined) first.set(key, entry.path);
      yield known === undefined ? one : { ...one, entry: linkTo(known, entry) };
    }
  }

  #hide(path: string, type: 'whiteout' | 'opaque'): void {
    this.#dropBelow(path);
    if (type === 'whiteout') this.#found.delete(path);
    const isGone = type === 'opaque' && this.#marks.get(path) === 'whiteout';
    if (!isGone) this.#marks.set(path, type);
    this.#noteAbove(path);
  }

  #put(one: SummedEntry): void {
    const { path, type } = one.entry;
    const former = this.#found.get(path);
    this.#openAbove(path);
    if (type !== 'dir') {
      this.#dropBelow(path);
      this.#marks.delete(path);
    } else if (this.#marks.has(path) || (former !== undefined && former.entry.type !== 'dir')) {
      // What hid a folder of this name below still does.
      this.#marks.set(path, 'opaque');
    }
    this.#found.set(path, one);
  }

  /** A folder that is there again, if only for something in it, is not gone but empty. */
  #openAbove(path: string): void {
    this.#noteAbove(path);
    for (const folder of foldersOf(path))
      if (this.#marks.get(folder) === 'whiteout') this.#marks.set(folder, 'opaque');
  }

  #noteAbove(path: string): void {
    for (const folder of foldersOf(path)) this.#folders.add(folder);
  }

  #dropBelow(path: string): void {
    if (!this.#folders.has(path)) return;
    const prefix = path === '' ? '' : `${path}/`;
    for (const all of [this.#found, this.#marks])
      for (const other of all.keys()) if (other !== path && other.startsWith(prefix)) all.delete(other);
  }
}

/** Every folder that a path lies in, the nearest first; the root is ''. */
function* foldersOf(path: string): Generator<string> {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) yield path.slice(0, at);
  if (path !== '') yield '';
}

/** A hard link as the file that it names. */
function summed(entry: Entry, layer: Layer, files: ReadonlyMap<string, Entry>): SummedEntry {
  const target = entry.type === 'hardlink' ? files.get(entry.link ?? '') : undefined;
  if (target === undefined || target.type !== 'file') return { entry, layer, path: entry.path };
  return { entry: { ...target, path: entry.path }, layer, path: target.path };
}

function linkTo(path: string, { digest: _, ...entry }: Entry): Entry {
  return { ...entry, type: 'hardlink', size: 0, link: path };
}

function markOf(path: string, type: 'whiteout' | 'opaque'): Entry {
  return { path, type, mode: 0, uid: 0, gid: 0, size: 0, mtime: 0 };
}

function inOrder({ entry: a }: SummedEntry, { entry: b }: SummedEntry): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return Number(a.type === 'opaque') - Number(b.type === 'opaque');
}
