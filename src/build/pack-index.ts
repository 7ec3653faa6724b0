import type { Digest } from '../core/digest.ts';
import type { Descriptor, Image } from '../core/types.ts';
import { annotationsAt } from '../oci/annotations.ts';
import { attestationsFor } from '../oci/attestation.ts';
import { type EncodedManifest, indexOf } from '../oci/manifest.ts';
import type { PackedIndex } from '../oci/packed.ts';
import { manifestFor, type PackOptions, packImage } from './pack-image.ts';

/** Images for several platforms, packed as `packImage` does, and the index that names them. */
export async function packIndex(images: readonly Image[], options: PackOptions): Promise<PackedIndex> {
  const packed = await Promise.all(images.map((image) => packImage(image, { ...options, names: [] })));
  const manifests = packed.map(({ manifest }, i) => ({
    ...manifest.descriptor,
    platform: images[i]!.platform,
  }));
  const attestations = await attestationsFor(images, manifests, options);
  const beside = attestations.map(({ manifest }) => manifest.descriptor);
  const index = indexFor([...manifests, ...beside], options);
  const own = annotationsAt(options.annotations ?? [], 'index-descriptor');
  const descriptor = { ...index.descriptor, ...(own && { annotations: own }) };
  return { index: { ...index, descriptor }, images: [...packed, ...attestations], names: options.names };
}

/** The digest that the index of images has where it goes in its usual form. */
export async function indexDigest(images: readonly Image[], options: PackOptions): Promise<Digest> {
  const manifests = images.map(async (image) => ({
    ...(await usualManifest(image, options)),
    platform: image.platform,
  }));
  return indexFor(await Promise.all(manifests), options).descriptor.digest;
}

/** The manifest of an image as it goes out in its usual form; what has a packed form is not read. */
export async function usualManifest(image: Image, options: PackOptions): Promise<Descriptor> {
  const { layers, signal } = options;
  const descriptors = image.layers.map(
    async (layer) =>
      layers.descriptor(layer, 'any') ?? (await layers.packed(layer, 'any', signal)).descriptor,
  );
  return manifestFor(image, await Promise.all(descriptors), options).descriptor;
}

function indexFor(
  manifests: readonly Descriptor[],
  { format, annotations = [] }: PackOptions,
): EncodedManifest {
  return indexOf({ manifests, format, annotations: annotationsAt(annotations, 'index') });
}
