import { type Digest, isDigest } from '../../src/core/digest.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { StepResult } from '../../src/core/store.ts';
import type { Descriptor, Layer, Origin } from '../../src/core/types.ts';
import { compressionOf, isForeignLayer } from '../../src/oci/media-types.ts';

/** The media type of a cache's document where it stands alone: as the configuration of a manifest. */
export const documentType = 'application/vnd.tsbuild.cache.v1+json';
/** Bytes that a document may have: some tens of thousands of steps. */
export const maxDocumentBytes = 8 * 2 ** 20;

/** A step of a cache: the keys that lead to what it made. */
export interface SharedStep {
  readonly key: Digest;
  readonly result: StepResult;
}

/** What a cache tells; the layers that it has the bytes of are listed besides. */
export interface SharedContent {
  readonly steps: readonly SharedStep[];
  /** Cache mounts by their ids, what they held as a layer each. */
  readonly mounts: ReadonlyMap<string, Layer>;
}

/** A cache as it was read, and how many entries of it made no sense. */
export interface ReadContent extends SharedContent {
  readonly malformed: number;
}

/** The document as JSON. A layer is a number: its place among the layers with bytes and then those in `others`. */
export interface CacheDocument {
  /** diffIds of the layers that the manifest lists, in its order; absent inline, where the image's own list counts. */
  readonly layers?: readonly Digest[];
  /** diffIds of layers that are known and whose bytes are not in the cache. */
  readonly others: readonly Digest[];
  readonly steps: readonly WrittenStep[];
  /** A layer, an epoch in seconds, and the layer that the first is with its times clamped to it. */
  readonly clamped: readonly (readonly [number, number, number])[];
  readonly mounts: readonly { readonly id: string; readonly layer: number }[];
}

interface WrittenStep {
  readonly key: Digest;
  readonly content?: Digest;
  readonly layer: number;
  readonly created: string;
}

/**
 * The document of what is shared: the same content always gives the same. `layers` are those with bytes, in the order of the
 * manifest; `inline` leaves them out.
 */
export function documentOf(
  { steps, mounts }: SharedContent,
  layers: readonly Digest[],
  { inline = false }: { readonly inline?: boolean } = {},
): CacheDocument {
  const numbers = new Map(layers.map((diffId, i) => [diffId, i]));
  const others: Digest[] = [];
  const numberOf = (diffId: Digest): number => {
    const known = numbers.get(diffId);
    if (known !== undefined) return known;
    numbers.set(diffId, numbers.size);
    others.push(diffId);
    return numbers.size - 1;
  };
  const clamps = new Map<string, readonly [number, number, number]>();
  const written = distinct(steps).map(({ key, result: { layer, created, contentKey, clamped } }) => {
    const number = numberOf(layer.diffId);
    if (clamped !== undefined) {
      const { epoch } = clamped;
      clamps.set(`${number} ${epoch}`, [number, epoch, numberOf(clamped.layer.diffId)]);
    }
    return { key, ...(contentKey && { content: contentKey }), layer: number, created };
  });
  const held = [...mounts].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...(!inline && { layers }),
    others,
    steps: written,
    clamped: [...clamps.values()],
    mounts: held.map(([id, layer]) => ({ id, layer: numberOf(layer.diffId) })),
  };
}

/** Each step once, by its key and what it made, in the order of the keys. */
function distinct(steps: readonly SharedStep[]): SharedStep[] {
  const byName = new Map(steps.map((step) => [`${step.key} ${step.result.layer.diffId}`, step]));
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, step]) => step);
}

/** The layers that a document speaks of: what the manifest lists of them, and from where they can be fetched. */
export interface ListedLayers {
  readonly descriptors: readonly Descriptor[];
  readonly origin: Origin;
  /** diffIds where the document stands in an image's configuration, which lists them. */
  readonly diffIds?: readonly Digest[];
}

/**
 * Takes a document apart. Input is hostile: what makes no sense is passed over and counted; fails with `image` where
 * nothing of it can be used. What it says cannot be checked further: whoever can write a cache decides what its
 * keys lead to, as whoever can write an image decides what is in it.
 */
export function readDocument(json: unknown, listed: ListedLayers): ReadContent {
  if (!isObject(json)) throw unusable('is no JSON object');
  const all = layersOf(json, listed);
  const count = { malformed: 0 };
  const each = <T>(field: string, read: (item: unknown) => T | undefined): T[] =>
    listIn(json, field).flatMap((item) => {
      const value = read(item);
      if (value === undefined) count.malformed++;
      return value === undefined ? [] : [value];
    });
  const clamps = new Map(each('clamped', (item) => clampOf(item, all)));
  const steps = each('steps', (item) => stepOf(item, all, clamps));
  const mounts = new Map(each('mounts', (item) => mountOf(item, all)));
  return { steps, mounts, malformed: count.malformed };
}

function layersOf(json: Json, { descriptors, diffIds, origin }: ListedLayers): readonly Layer[] {
  const listed = diffIds ?? digestsIn(json, 'layers');
  if (listed.length !== descriptors.length)
    throw unusable(`names ${listed.length} layers, its manifest ${descriptors.length}`);
  const present = listed.map((diffId, i): Layer => {
    const descriptor = descriptors[i]!;
    const isUsable =
      compressionOf(descriptor.mediaType) !== undefined && !isForeignLayer(descriptor.mediaType);
    return { diffId, own: true, ...(isUsable && { descriptor, origins: [origin] }) };
  });
  return [...present, ...digestsIn(json, 'others').map((diffId): Layer => ({ diffId, own: true }))];
}

function clampOf(item: unknown, all: readonly Layer[]): [Layer, StepResult['clamped']] | undefined {
  if (!Array.isArray(item)) return undefined;
  const [of, epoch, to] = item as unknown[];
  const [layer, clamped] = [layerAt(all, of), layerAt(all, to)];
  if (layer === undefined || clamped === undefined || !Number.isSafeInteger(epoch)) return undefined;
  return [layer, { epoch: epoch as number, layer: clamped }];
}

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

function stepOf(
  item: unknown,
  all: readonly Layer[],
  clamps: ReadonlyMap<Layer, StepResult['clamped']>,
): SharedStep | undefined {
  if (!isObject(item)) return undefined;
  const { key, content, created } = item;
  const layer = layerAt(all, item.layer);
  if (!isDigestValue(key) || layer === undefined) return undefined;
  if (typeof created !== 'string' || !timePattern.test(created)) return undefined;
  if (content !== undefined && !isDigestValue(content)) return undefined;
  const clamped = clamps.get(layer);
  const result = { layer, created, ...(content && { contentKey: content }), ...(clamped && { clamped }) };
  return { key, result };
}

/** Longer than any id that a Containerfile gives. */
const maxIdLength = 4096;

function mountOf(item: unknown, all: readonly Layer[]): [string, Layer] | undefined {
  if (!isObject(item) || typeof item.id !== 'string' || item.id.length > maxIdLength) return undefined;
  const layer = layerAt(all, item.layer);
  return layer?.descriptor === undefined ? undefined : [item.id, layer];
}

function layerAt(all: readonly Layer[], number: unknown): Layer | undefined {
  return Number.isSafeInteger(number) ? all[number as number] : undefined;
}

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDigestValue(value: unknown): value is Digest {
  return typeof value === 'string' && isDigest(value);
}

function listIn(json: Json, field: string): readonly unknown[] {
  const list = json[field] ?? [];
  if (!Array.isArray(list)) throw unusable(`has a field "${field}" that is no list`);
  return list;
}

function digestsIn(json: Json, field: string): readonly Digest[] {
  const list = listIn(json, field);
  if (!list.every(isDigestValue)) throw unusable(`has something other than digests in "${field}"`);
  return list;
}

function unusable(what: string): BuildError {
  return new BuildError('image', `its document ${what}`);
}
