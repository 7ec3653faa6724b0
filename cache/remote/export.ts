import { BuildError } from '../../src/core/errors.ts';
import { allOrNone } from '../../src/core/gates.ts';
import type { Layers } from '../../src/core/store.ts';
import type { Compression, Descriptor, Layer } from '../../src/core/types.ts';
import { descriptorOf, manifestOf } from '../../src/oci/manifest.ts';
import type { Arrival, Offered } from '../../src/registry/put-blob.ts';
import { documentOf, documentType, maxDocumentBytes, type SharedContent } from './document.ts';
import type { CachePlace } from './place.ts';

export interface ExportOptions {
  readonly layers: Layers;
  /** `any` keeps the form a layer has, and packs the others with gzip. */
  readonly compression: Compression | 'any';
  readonly signal: AbortSignal;
  /** Told of each blob as it goes. */
  readonly progress?: (blob: Descriptor, done: number, state: Arrival['how'] | 'running') => void;
}

/** Layers that are on their way at once: one is compressed while others are sent. */
const width = 3;

/**
 * Puts a cache into a place: the layers that are not there yet, the document, and last the manifest that lists them
 * all, so that a registry keeps them together. `kept` are the layers whose bytes go along.
 */
export async function exportCache(
  content: SharedContent,
  kept: readonly Layer[],
  place: CachePlace,
  options: ExportOptions,
): Promise<void> {
  const distinct = [...new Map(kept.map((layer) => [layer.diffId, layer])).values()];
  const document = documentOf(
    content,
    distinct.map(({ diffId }) => diffId),
  );
  const config = Buffer.from(JSON.stringify(document));
  if (config.length > maxDocumentBytes) throw tooLarge(content);
  const layers = await allOrNone(distinct, { width, signal: options.signal }, (layer, signal) =>
    putLayer(layer, place, { ...options, signal }),
  );
  const source = { descriptor: descriptorOf(config, documentType), content: config };
  await put({ descriptor: source.descriptor, origins: [], open: async () => source }, place, options);
  const { signal } = options;
  await place.commit(manifestOf({ config, configType: documentType, layers, format: 'oci' }), signal);
}

async function putLayer(layer: Layer, place: CachePlace, options: ExportOptions): Promise<Descriptor> {
  const { layers, compression, signal } = options;
  signal.throwIfAborted();
  const pack = () => layers.outgoing(layer, compression, signal);
  const known = layers.descriptor(layer, compression);
  const packed = known === undefined ? await pack() : undefined;
  const descriptor = known ?? packed!.descriptor;
  const origins = [...(layer.origins ?? []), ...layers.origins(descriptor.digest)];
  return await put({ descriptor, origins, open: async () => packed ?? (await pack()) }, place, options);
}

async function put(
  offered: Offered,
  place: CachePlace,
  { progress, signal }: ExportOptions,
): Promise<Descriptor> {
  const onBytes = (done: number) => progress?.(offered.descriptor, done, 'running');
  const { descriptor, how } = await place.put({ ...offered, onBytes }, signal);
  progress?.(descriptor, descriptor.size, how);
  return descriptor;
}

function tooLarge({ steps }: SharedContent): BuildError {
  return new BuildError('output', `a cache of ${steps.length} steps is larger than 8 MiB`, {
    hint: 'Export fewer stages at once: mode=min, or one platform.',
  });
}
