import type { Emit } from '../core/events.ts';
import type { Annotation } from '../core/options.ts';
import { takeTime } from '../core/spans.ts';
import type { Layers } from '../core/store.ts';
import type { Descriptor, Image, Layer, Packing } from '../core/types.ts';
import { annotationsAt } from '../oci/annotations.ts';
import type { Attest } from '../oci/attestation.ts';
import { descriptorOf, manifestOf } from '../oci/manifest.ts';
import type { BlobSource, PackedImage } from '../oci/packed.ts';
import { packingFor } from '../oci/packing.ts';

export interface PackOptions {
  readonly layers: Layers;
  /** Full names it is to be known by. */
  readonly names: readonly string[];
  readonly format: 'oci' | 'docker';
  /** `any` keeps the form a layer has, and packs the others with gzip. */
  readonly compression: Packing | 'any';
  /** Layers that have another form already get it, too. */
  readonly forceCompression?: boolean;
  readonly annotations?: readonly Annotation[];
  /** What is said about each image of an index, in manifests beside it. */
  readonly attest?: Attest | undefined;
  readonly emit?: Emit;
  readonly signal: AbortSignal;
}

/** The image with every layer packed and at hand, and the manifest that names them. */
export async function packImage(image: Image, options: PackOptions): Promise<PackedImage> {
  const layers = await Promise.all(image.layers.map((layer) => packLayer(layer, options)));
  const descriptors = layers.map(({ descriptor }) => descriptor);
  const manifest = manifestFor(image, descriptors, options);
  return { config: image.config, manifest, layers, names: options.names };
}

/** The manifest of an image with its layers in these forms; one that it came with stays where nothing is changed. */
export function manifestFor(
  image: Image,
  layers: readonly Descriptor[],
  { annotations: all = [], format, compression }: PackOptions,
): PackedImage['manifest'] {
  const annotations = annotationsAt(all, 'manifest', image.platform);
  const kept = compression === 'any' && annotations === undefined ? image.manifest : undefined;
  const { bytes, mediaType } = kept ?? manifestOf({ config: image.config, layers, format, annotations });
  const own = annotationsAt(all, 'manifest-descriptor', image.platform);
  const descriptor = descriptorOf(bytes, mediaType);
  return {
    bytes,
    mediaType,
    descriptor: own === undefined ? descriptor : { ...descriptor, annotations: own },
  };
}

async function packLayer(
  layer: Layer,
  { layers, compression: asked, forceCompression = false, emit, signal }: PackOptions,
): Promise<BlobSource> {
  const transfer = {
    type: 'transfer',
    id: `pack ${layer.diffId}`,
    name: `packing ${layer.diffId.slice(7, 19)}`,
  } as const;
  const compression = packingFor(layer, asked, forceCompression);
  const known = layers.descriptor(layer, compression) !== undefined;
  const end = emit && !known ? takeTime(emit, 'compress') : undefined;
  const { descriptor, path } = await layers.packed(layer, compression, signal, (done, total) => {
    if (!known) emit?.({ ...transfer, done, ...(total !== undefined && { total }), state: 'running' });
  });
  end?.();
  if (!known) emit?.({ ...transfer, done: descriptor.size, total: descriptor.size, state: 'done' });
  return { descriptor, content: path };
}
