import { digestOf } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import type { Layers } from '../core/store.ts';
import type { Compression, Image, Layer } from '../core/types.ts';
import { manifestOf } from '../oci/manifest.ts';
import type { BlobSource, PackedImage } from '../oci/packed.ts';

export interface PackOptions {
  readonly layers: Layers;
  /** Full names it is to be known by. */
  readonly names: readonly string[];
  readonly format: 'oci' | 'docker';
  /** `any` keeps the form a layer has, and packs the others with gzip. */
  readonly compression: Compression | 'any';
  readonly annotations?: Readonly<Record<string, string>>;
  readonly emit?: Emit;
  readonly signal: AbortSignal;
}

/** The image with every layer packed and at hand, and the manifest that names them. */
export async function packImage(image: Image, options: PackOptions): Promise<PackedImage> {
  const layers = await Promise.all(image.layers.map((layer) => packLayer(layer, options)));
  const descriptors = layers.map(({ descriptor }) => descriptor);
  const { format, annotations, names } = options;
  const changed = options.compression !== 'any' || Object.keys(annotations ?? {}).length > 0;
  const kept = changed ? undefined : image.manifest;
  const made =
    kept ??
    manifestOf({ config: image.config, layers: descriptors, format, ...(annotations && { annotations }) });
  const { bytes, mediaType } = made;
  return {
    config: image.config,
    manifest: { bytes, mediaType, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } },
    layers,
    names,
  };
}

async function packLayer(
  layer: Layer,
  { layers, compression, emit, signal }: PackOptions,
): Promise<BlobSource> {
  const transfer = {
    type: 'transfer',
    id: `pack ${layer.diffId}`,
    name: `packing ${layer.diffId.slice(7, 19)}`,
  } as const;
  const known = layers.descriptor(layer, compression) !== undefined;
  const { descriptor, path } = await layers.packed(layer, compression, signal, (done, total) => {
    if (!known) emit?.({ ...transfer, done, ...(total !== undefined && { total }), state: 'running' });
  });
  if (!known) emit?.({ ...transfer, done: descriptor.size, total: descriptor.size, state: 'done' });
  return { descriptor, content: path };
}
