import type { Layers } from '../src/core/store.ts';
import type { Entry, Layer, Listing } from '../src/core/types.ts';
import { parentOf, type Resolved, resolveIn } from './path-resolve.ts';

/** A file's bytes: the layer that holds them, and their path in it. */
export interface Place {
  readonly layer: Layer;
  readonly path: string;
}

/**
 * A root filesystem as its layers' listings show it, without unpacking any: whiteouts and opaque directories are
 * honoured, hard links look like the file they name. Listings are asked for from the top down and only as far as the
 * question needs; they are sorted, so nothing is indexed and forty stages on one base share its listing as it is.
 */
export class LayeredView {
  readonly #layers: readonly Layer[];
  readonly #store: Pick<Layers, 'listing'>;
  readonly #signal: AbortSignal | undefined;
  readonly #listings: (Promise<Listing> | undefined)[] = [];
  readonly #places = new WeakMap<Entry, Place>();

  private constructor(layers: readonly Layer[], store: Pick<Layers, 'listing'>, signal?: AbortSignal) {
    this.#layers = layers;
    this.#store = store;
    this.#signal = signal;
  }

  /** The view of layers in image order, the lowest first. */
  static of(layers: readonly Layer[], store: Pick<Layers, 'listing'>, signal?: AbortSignal): LayeredView {
    return new LayeredView(layers, store, signal);
  }

  /** What stands at the path; a symlink is not followed. A directory that only its contents imply is 0755 root. */
  async lookup(path: string): Promise<Entry | undefined> {
    let implied = path === '';
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      const listing = await this.#listing(i);
      const entry = find(listing, path);
      if (entry?.type === 'whiteout') break;
      if (entry !== undefined) return await this.#own(entry, i);
      implied ||= impliesDirectory(listing, path);
      if (hidesBelow(listing, parentOf(path), path)) break;
    }
    return implied ? impliedDirectory(path) : undefined;
  }

  /** Follows symlinks inside the root, at most 40, never out of it. */
  resolve(path: string, options: { readonly followLast: boolean }): Promise<Resolved> {
    return resolveIn((at) => this.lookup(at), path, options.followLast);
  }

  /** The entries directly in a directory, sorted by path; empty where there is no such directory. */
  children(directory: string): Promise<Entry[]> {
    return this.#merged(directory, 'children');
  }

  /** Every entry below a directory (itself not included), sorted by path. */
  walk(directory: string): Promise<Entry[]> {
    return this.#merged(directory, 'all');
  }

  /** Where the bytes of a file of this view are. The entry must come from this view. */
  placeOf(entry: Entry): Place {
    const place = this.#places.get(entry);
    if (place === undefined) throw new Error(`"${entry.path}" does not come from this view`);
    return place;
  }

  /** The layer that holds an entry of this view. */
  layerOf(entry: Entry): Layer {
    return this.placeOf(entry).layer;
  }

  #listing(index: number): Promise<Listing> {
    const known = this.#listings[index];
    if (known !== undefined) return known;
    const asked = this.#store.listing(this.#layers[index]!, this.#signal);
    this.#listings[index] = asked;
    return asked;
  }

  /** Notes where the entry comes from; a hard link becomes the file that it names. */
  async #own(entry: Entry, index: number): Promise<Entry> {
    const layer = this.#layers[index]!;
    if (entry.type !== 'hardlink') {
      if (!this.#places.has(entry)) this.#places.set(entry, { layer, path: entry.path });
      return entry;
    }
    const target = find(await this.#listing(index), entry.link ?? '');
    const found = target !== undefined && target.type !== 'hardlink' ? target : undefined;
    const { link: _, ...rest } = found ?? { ...entry, type: 'file' as const };
    const file = { ...rest, path: entry.path };
    this.#places.set(file, { layer, path: found?.path ?? entry.path });
    return file;
  }

  /** Applies the layers from the lowest up to what lies below `directory`. */
  async #merged(directory: string, depth: 'children' | 'all'): Promise<Entry[]> {
    const found = new Map<string, { entry: Entry; index: number }>();
    for (let index = 0; index < this.#layers.length; index++) {
      const listing = await this.#listing(index);
      if (hidesBelow(listing, directory, `${directory}/`)) found.clear();
      for (const entry of below(listing, directory, depth)) {
        if (entry.type === 'opaque' || entry.type !== 'dir') dropBelow(found, entry);
        if (entry.type === 'whiteout') found.delete(entry.path);
        else if (
          entry.type !== 'opaque' &&
          !(isImplied(entry) && found.get(entry.path)?.entry.type === 'dir')
        )
          found.set(entry.path, { entry, index });
      }
    }
    const sorted = [...found.values()].sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1));
    const entries: Entry[] = [];
    for (const { entry, index } of sorted) entries.push(await this.#own(entry, index));
    return entries;
  }
}

const implied = new WeakSet<Entry>();

function isImplied(entry: Entry): boolean {
  return implied.has(entry);
}

function impliedDirectory(path: string): Entry {
  const entry: Entry = { path, type: 'dir', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 };
  implied.add(entry);
  return entry;
}

/** The index of the first entry whose path is not before `path`. */
function lowerBound(listing: Listing, path: string, from = 0): number {
  let low = from;
  let high = listing.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (listing[middle]!.path < path) low = middle + 1;
    else high = middle;
  }
  return low;
}

function find(listing: Listing, path: string): Entry | undefined {
  const at = lowerBound(listing, path);
  const entry = listing[at];
  return entry?.path === path && entry.type !== 'opaque' ? entry : undefined;
}

function isOpaque(listing: Listing, path: string): boolean {
  const at = lowerBound(listing, path);
  return [listing[at], listing[at + 1]].some((entry) => entry?.path === path && entry.type === 'opaque');
}

/** A layer may hold `a/b` without `a`. */
function impliesDirectory(listing: Listing, path: string): boolean {
  const prefix = `${path}/`;
  for (let i = lowerBound(listing, prefix); listing[i]?.path.startsWith(prefix); i++) {
    if (listing[i]!.type !== 'whiteout') return true;
  }
  return false;
}

/** True when the layer's `directory` or one above it is opaque, gone or no directory: lower layers do not show there. */
function hidesBelow(listing: Listing, directory: string, path: string): boolean {
  if (path === '') return false;
  for (let at = directory; ; at = parentOf(at)) {
    const entry = find(listing, at);
    if ((entry !== undefined && entry.type !== 'dir') || isOpaque(listing, at)) return true;
    if (at === '') return false;
  }
}

/** The layer's entries below a directory, in order; directories that are only implied are added. */
function* below(listing: Listing, directory: string, depth: 'children' | 'all'): Generator<Entry> {
  const prefix = directory === '' ? '' : `${directory}/`;
  let i = lowerBound(listing, prefix === '' ? '\u0001' : prefix);
  while (i < listing.length && listing[i]!.path.startsWith(prefix)) {
    const entry = listing[i]!;
    const slash = entry.path.indexOf('/', prefix.length);
    if (slash < 0 || depth === 'all') {
      if (entry.path !== '') yield* withParents(listing, entry, directory);
      i++;
    } else {
      const child = entry.path.slice(0, slash);
      if (find(listing, child) === undefined && impliesDirectory(listing, child))
        yield impliedDirectory(child);
      i = lowerBound(listing, `${child}0`, i);
    }
  }
}

/** The entry, and before it its directory where the layer does not list that. */
function* withParents(listing: Listing, entry: Entry, directory: string): Generator<Entry> {
  const parent = parentOf(entry.path);
  if (parent !== directory && entry.type !== 'whiteout' && find(listing, parent) === undefined) {
    yield* withParents(listing, impliedDirectory(parent), directory);
  }
  yield entry;
}

/** Forgets what lower layers showed below an entry that hides it. */
function dropBelow(found: Map<string, { entry: Entry }>, entry: Entry): void {
  const shown = found.get(entry.path);
  if (shown?.entry.type !== 'dir') return;
  const prefix = `${entry.path}/`;
  for (const path of found.keys()) if (path.startsWith(prefix)) found.delete(path);
}
