import { existsSync, lstatSync, readFileSync, rmSync } from 'node:fs';
import { hexOf } from '../src/core/digest.ts';
import type { Layer } from '../src/core/types.ts';
import { isDownload } from './downloads.ts';
import { Facts } from './facts.ts';
import type { Home } from './home.ts';
import { namelessImages } from './idle-images.ts';
import { imageFiles, imagePath } from './images.ts';
import { forgetIngredients } from './ingredients.ts';
import { namesById, setName } from './names.ts';
import { notePruned } from './pruned.ts';
import { isStoredRecord, type StoredRecord } from './records.ts';
import { discard, oldestUser, sweep } from './scratch.ts';
import { bytesOf, type Item, itemsOf, type KindUsage, usageOf } from './usage.ts';

export interface PruneOptions {
  /** Stop as soon as no more than this is left. */
  readonly keepBytes?: number;
  /** Also what cache records name; without it only what nothing names any more. */
  readonly all?: boolean;
  /** Cache mounts too. */
  readonly mounts?: boolean;
  /** What is remembered of builds, too. */
  readonly builds?: boolean;
  /** Images, cache mounts and what is remembered of builds, too. */
  readonly everything?: boolean;
  /** Only what was not used for so many seconds. */
  readonly until?: number;
}

export interface Pruned {
  readonly count: number;
  readonly bytes: number;
}

export interface StoreWithHome {
  readonly home: Home;
}

/** What is named, by hexadecimal digest: of blobs, and of layers by diffId. */
export interface Named {
  readonly blobs: Set<string>;
  readonly layers: Set<string>;
}

/** What the store takes up, per kind: for `tsbuild du`. */
export function usage(store: StoreWithHome): KindUsage[] {
  return usageOf(itemsOf(store.home));
}

/**
 * Takes things away, least recently used first, a layer never before those made on top of it. Images that
 * have a name keep at least one form of every layer from which the others follow; those without are forgotten. Nothing is touched that was used since the longest-running
 * user of the store began (this one included). Renames first, behind the store's gate, and deletes afterwards.
 */
export function prune(store: StoreWithHome, options: PruneOptions = {}): Pruned {
  const { home } = store;
  const before = oldestUser(home.tmp) ?? Number.POSITIVE_INFINITY;
  const isOld = (used: number): boolean =>
    used < before && (options.until === undefined || used < Date.now() / 1000 - options.until);
  const forgotten = options.everything ? forgetImages(home) : forgetNameless(home, isOld);
  const items = itemsOf(home);
  const candidates = inOrder(home, removable(home, items, options)).filter((item) => isOld(item.used));
  const removed: Item[] = [];
  let left = bytesOf(items);
  for (const item of candidates) {
    if (options.keepBytes !== undefined && left <= options.keepBytes) break;
    if (!take(home, item)) continue;
    removed.push(item);
    left -= item.bytes;
  }
  notePruned(home, namesOf(removed));
  if (options.everything) forgetIngredients(home);
  sweep(home.tmp, (task) => home.gate('exclusive', task));
  return { count: forgotten + removed.length, bytes: bytesOf(removed) };
}

function removable(home: Home, items: readonly Item[], options: PruneOptions): Item[] {
  const images = options.everything ? emptyNames() : namedBy(home, imageLayers(home));
  for (const file of options.everything ? [] : imageFiles(home)) {
    images.blobs.add(hexOf(file.id));
    if (file.manifest !== undefined) images.blobs.add(hexOf(file.manifest.digest));
  }
  const cached = options.all || options.everything ? emptyNames() : namedBy(home, recordLayers(items));
  if (!options.all && !options.everything) for (const name of downloaded(items)) cached.blobs.add(name);
  const hasBlob = (diffId: string): boolean =>
    blobNames(home, diffId).some((name) => existsSync(home.path('blobs', name)));
  return items.filter((item) => {
    if (item.kind === 'mounts' || item.kind === 'builds')
      return options.everything === true || options[item.kind] === true;
    if (['records', 'downloads', 'stat', 'failures'].includes(item.kind))
      return options.all === true || options.everything === true;
    if (item.kind === 'blobs') return !images.blobs.has(item.name) && !cached.blobs.has(item.name);
    if (cached.layers.has(item.name)) return false;
    return (
      !images.layers.has(item.name) || (item.kind === 'trees' && options.all === true && hasBlob(item.name))
    );
  });
}

/** Names of the blobs that are the layer, as far as the store itself knows. */
function blobNames(home: Home, diffId: string): string[] {
  const fact = new Facts(home).packed(`sha256:${diffId}`, 'gzip');
  return fact === undefined ? [diffId] : [diffId, hexOf(fact.digest)];
}

/** The forms of layers, and of those that they are made of. */
export function namedBy(home: Home, layers: readonly Layer[]): Named {
  const names = emptyNames();
  const facts = new Facts(home);
  for (const layer of layers) {
    const base = facts.base(layer.diffId)?.diffId;
    for (const diffId of base === undefined ? [layer.diffId] : [layer.diffId, base]) {
      names.layers.add(hexOf(diffId));
      for (const name of blobNames(home, hexOf(diffId))) names.blobs.add(name);
    }
    if (layer.descriptor !== undefined) names.blobs.add(hexOf(layer.descriptor.digest));
  }
  return names;
}

/** What a later build may miss, and will want to know where it went. */
function namesOf(removed: readonly Item[]): string[] {
  const missed = removed.filter(({ kind }) => ['records', 'blobs', 'trees'].includes(kind));
  return [...new Set(missed.map(({ name }) => name))];
}

function emptyNames(): Named {
  return { blobs: new Set(), layers: new Set() };
}

function imageLayers(home: Home): Layer[] {
  return imageFiles(home).flatMap((file) => [...file.layers]);
}

function recordLayers(items: readonly Item[]): Layer[] {
  return recordsOf(items).flatMap((record) => record.results.map((result) => result.layer));
}

/** Names of the blobs that were downloaded for ADD. */
export function downloaded(items: readonly Item[]): string[] {
  const found = items.filter(({ kind }) => kind === 'downloads').map(({ path }) => jsonOf(path));
  return found.flatMap((value) => (isDownload(value) ? [hexOf(value.digest)] : []));
}

/** The records among items that can be read. */
export function recordsOf(items: readonly Item[]): StoredRecord[] {
  return items.flatMap((item) => {
    const value = item.kind === 'records' ? jsonOf(item.path) : undefined;
    return isStoredRecord(value) ? [value] : [];
  });
}

/** Undefined for what cannot be read. */
function jsonOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Least recently used first; a layer counts as used when one made on top of it was, and of layers used at once the one
 * with most below it goes first. What a layer was made on top of stands in its record.
 */
function inOrder(home: Home, items: readonly Item[]): Item[] {
  const below = new Map<string, ReadonlySet<string>>();
  for (const record of recordsOf(itemsOf(home))) {
    const named = new Set((record.of ?? []).map(hexOf));
    for (const { layer } of record.results) below.set(hexOf(layer.diffId), named);
  }
  const used = new Map<string, number>();
  const raise = (name: string, at: number): void => void used.set(name, Math.max(used.get(name) ?? 0, at));
  for (const item of items) {
    raise(item.name, item.used);
    for (const name of below.get(item.name) ?? []) raise(name, item.used);
  }
  const depth = (item: Item): number => below.get(item.name)?.size ?? 0;
  const last = (item: Item): number => used.get(item.name) ?? item.used;
  return [...items].sort((a, b) => last(a) - last(b) || depth(b) - depth(a));
}

/** Renames an item away unless it was used since it was looked at, or is a cache mount that somebody holds. */
function take(home: Home, item: Item): boolean {
  return home.gate('exclusive', () => {
    const stat = lstatSync(item.usedPath, { throwIfNoEntry: false });
    if (stat === undefined) return false;
    const isTouched =
      item.usedPath !== item.path || item.kind !== 'trees' ? stat.mtimeMs / 1000 !== item.used : false;
    if (isTouched) return false;
    discard(home.tmp, item.path);
    if (item.usedPath !== item.path) rmSync(item.usedPath, { force: true });
    return true;
  });
}

/** Takes every name and image away; their blobs are then nobody's. Gives how many images there were. */
function forgetImages(home: Home): number {
  const names = [...namesById(home)];
  for (const [, list] of names) {
    for (const name of list) setName(home, name, []);
  }
  const files = imageFiles(home);
  for (const { id } of files) rmSync(imagePath(home, id), { force: true });
  return files.length;
}

/** Takes away images that have lost their name to a newer build, or never had one. Gives how many. */
function forgetNameless(home: Home, isOld: (used: number) => boolean): number {
  const nameless = namelessImages(home).filter(({ used }) => isOld(used));
  for (const { id } of nameless) rmSync(imagePath(home, id), { force: true });
  return nameless.length;
}
