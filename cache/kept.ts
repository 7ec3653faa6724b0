import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hexOf } from '../src/core/digest.ts';
import type { Layer } from '../src/core/types.ts';
import type { Home } from './home.ts';
import { type ImageFile, imageFiles, imagePath } from './images.ts';
import { idFile } from './mount-content.ts';
import { namesById } from './names.ts';
import { downloaded, namedBy, recordsOf, type StoreWithHome } from './prune.ts';
import { oldestUser } from './scratch.ts';
import { bytesOf, folderBytes, type Item, itemsOf } from './usage.ts';

/** Something of the store as people know it, with what it takes up and why it is kept. */
export interface Kept {
  /**
   * `base`: an image that builds took for FROM. `step`: what the cache alone has of a step. `records`: of steps whose layers
   * are in images. `loose`: layers that nothing names any more. `work`: files of commands that run. `other`: names and facts.
   */
  readonly kind:
    | 'image'
    | 'base'
    | 'step'
    | 'records'
    | 'download'
    | 'contexts'
    | 'mount'
    | 'failure'
    | 'build'
    | 'loose'
    | 'work'
    | 'other';
  /** A name, a layer's diffId, a mount's or a build's id (a `failure` has its build's); empty where there is one of the kind at most. */
  readonly name: string;
  /** Of an image: the digest of its configuration. */
  readonly id?: string;
  /** Of all that it needs. */
  readonly bytes: number;
  /** Of what it needs alone: this would be free without it. */
  readonly own: number;
  /** In seconds since the epoch. */
  readonly lastUsed: number | undefined;
  /** A running command uses it, or may: it was used since that began. */
  readonly inUse: boolean;
}

/** What needs which items. */
interface Need extends Pick<Kept, 'kind' | 'name' | 'id'> {
  readonly items: readonly Item[];
  /** Besides the items' own. */
  readonly used?: number;
}

/**
 * What the store keeps, each thing with the bytes of all that it needs: what several need is in the `bytes` of each, and in the
 * `own` of none. What is in an image is not told of a step once more. For `tsbuild du --verbose`.
 */
export function kept({ home }: StoreWithHome): readonly Kept[] {
  const items = itemsOf(home);
  const forms = new Forms(home, items);
  const images = imageNeeds(home, forms);
  const needs = [...images, ...stepNeeds(items, forms, itemsIn(images)), ...otherNeeds(items, forms)];
  const users = new Map<Item, number>();
  for (const need of needs) for (const item of need.items) users.set(item, (users.get(item) ?? 0) + 1);
  const loose: Need = { kind: 'loose', name: '', items: items.filter((item) => !users.has(item)) };
  const since = oldestUser(home.tmp) ?? Number.POSITIVE_INFINITY;
  const isShared = (item: Item): boolean => (users.get(item) ?? 0) > 1;
  const all = [...needs, loose].filter((need) => need.items.length > 0);
  return [...all.map((need) => keptOf(need, { isShared, since })), ...unlisted(home)];
}

/** Bytes of the store that are in no item: facts and names (`other`), and what commands are working on (`work`). */
export function unlisted(home: Home): readonly Kept[] {
  const folders = {
    work: ['tmp'],
    other: ['facts', 'origins', 'images', 'names', 'ingredients', 'locks'],
  } as const;
  return (['work', 'other'] as const).flatMap((kind) => {
    const bytes = folders[kind].reduce((sum, name) => sum + folderBytes(join(home.root, name)), 0);
    const inUse = kind === 'work';
    return bytes === 0 ? [] : [{ kind, name: '', bytes, own: bytes, lastUsed: undefined, inUse }];
  });
}

/** The items that layers and blobs are, as they are asked for by digest. */
class Forms {
  readonly #home: Home;
  readonly #layers: ReadonlyMap<string, readonly Item[]>;
  readonly #blobs: ReadonlyMap<string, readonly Item[]>;

  constructor(home: Home, items: readonly Item[]) {
    this.#home = home;
    this.#layers = byName(items.filter(({ kind }) => kind === 'trees' || kind === 'listings'));
    this.#blobs = byName(items.filter(({ kind }) => kind === 'blobs'));
  }

  of(layers: readonly Layer[], blobs: readonly string[] = []): Item[] {
    const named = namedBy(this.#home, layers);
    const found = [
      ...[...named.layers].flatMap((name) => this.#layers.get(name) ?? []),
      ...[...named.blobs, ...blobs].flatMap((name) => this.#blobs.get(name) ?? []),
    ];
    return [...new Set(found)];
  }
}

function byName(items: readonly Item[]): Map<string, Item[]> {
  const found = new Map<string, Item[]>();
  for (const item of items) found.set(item.name, [...(found.get(item.name) ?? []), item]);
  return found;
}

function imageNeeds(home: Home, forms: Forms): Need[] {
  const names = namesById(home);
  return imageFiles(home).map((file) => ({
    kind: file.base === true ? ('base' as const) : ('image' as const),
    name: nameOf(names.get(file.id) ?? []),
    id: file.id,
    items: forms.of(file.layers, blobsOf(file)),
    used: lstatSync(imagePath(home, file.id), { throwIfNoEntry: false })?.mtimeMs ?? 0,
  }));
}

/** A tag says more than a digest; empty without any. */
function nameOf(names: readonly string[]): string {
  return names.find((name) => !name.includes('@')) ?? names[0] ?? '';
}

function blobsOf({ id, manifest }: ImageFile): string[] {
  return [id, ...(manifest === undefined ? [] : [manifest.digest])].map(hexOf);
}

function itemsIn(needs: readonly Need[]): ReadonlySet<Item> {
  return new Set(needs.flatMap(({ items }) => items));
}

/** A need per layer that records lead to and no image has, and one for all other records. */
function stepNeeds(items: readonly Item[], forms: Forms, inImages: ReadonlySet<Item>): Need[] {
  const records = items.filter(({ kind }) => kind === 'records');
  const steps = [...recordsByLayer(records)].flatMap(([name, { layer, records }]): Need[] => {
    const alone = forms.of([layer]).filter((item) => !inImages.has(item));
    return alone.some(({ kind }) => kind === 'trees' || kind === 'blobs')
      ? [{ kind: 'step', name, items: [...new Set([...records, ...alone])] }]
      : [];
  });
  const told = itemsIn(steps);
  return [...steps, { kind: 'records', name: '', items: records.filter((item) => !told.has(item)) }];
}

interface Recorded {
  readonly layer: Layer;
  readonly records: Item[];
}

function recordsByLayer(records: readonly Item[]): Map<string, Recorded> {
  const found = new Map<string, Recorded>();
  for (const item of records) {
    for (const { layer } of recordsOf([item]).flatMap(({ results }) => results)) {
      const known = found.get(layer.diffId) ?? { layer, records: [] };
      known.records.push(item);
      found.set(layer.diffId, known);
    }
  }
  return found;
}

function otherNeeds(items: readonly Item[], forms: Forms): Need[] {
  const of = (wanted: Item['kind']): Item[] => items.filter(({ kind }) => kind === wanted);
  return [
    ...of('downloads').map((item): Need => {
      const blobs = downloaded([item]);
      return { kind: 'download', name: blobs[0] ?? '', items: [item, ...forms.of([], blobs)] };
    }),
    ...of('mounts').map((item): Need => ({ kind: 'mount', name: mountId(item), items: [item] })),
    ...of('failures').map((item): Need => ({ kind: 'failure', name: item.name, items: [item] })),
    ...of('builds').map((item): Need => ({ kind: 'build', name: item.name, items: [item] })),
    { kind: 'contexts', name: '', items: of('stat') },
  ];
}

function mountId({ path, name }: Item): string {
  const file = join(path, idFile);
  return existsSync(file) ? readFileSync(file, 'utf8') : name;
}

interface Weighing {
  readonly isShared: (item: Item) => boolean;
  /** When the longest-running command began. */
  readonly since: number;
}

function keptOf({ items, used = 0, ...what }: Need, { isShared, since }: Weighing): Kept {
  const lastUsed = Math.max(used / 1000, ...items.map((item) => item.used));
  return {
    ...what,
    bytes: bytesOf(items),
    own: bytesOf(items.filter((item) => !isShared(item))),
    lastUsed,
    inUse: lastUsed >= since,
  };
}
