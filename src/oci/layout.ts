import type { Digest } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { Descriptor, Platform } from '../core/types.ts';
import { parseConfig, platformOf } from './config.ts';
import { findBlob, indexIn, placeBlob, tagsOf, writeIndex } from './layout-folder.ts';
import { imagesOf, refName } from './layout-read.ts';
import { parseManifest } from './manifest.ts';
import { mediaTypes } from './media-types.ts';
import type { BlobSource, FoundImage, Packed, PackedImage, PackedIndex } from './packed.ts';

/**
 * Writes an image, or an index of several, into an OCI layout folder (image-spec, image-layout.md), which is made where
 * there is none. Other images in it stay; one of the same name is replaced. Blobs that are files are linked where that
 * is possible.
 */
export async function writeLayout(folder: string, image: Packed): Promise<void> {
  for (const blob of blobsOf(image)) await placeBlob(folder, blob);
  await writeIndex(folder, encodeIndex([...entriesOf(image)], await tagsOf(folder)));
}

/** The images of an OCI layout folder for a platform, or for all; see `imagesOf` for what is checked. */
export async function readLayout(folder: string, platform?: Platform): Promise<readonly FoundImage[]> {
  const index = await indexIn(folder);
  if (index === undefined)
    throw new BuildError('not-found', `${folder} is no OCI layout: it has no index.json`);
  const find = (digest: Digest) => findBlob(folder, digest);
  return imagesOf(index, find, { verify: true, ...(platform && { platform }) });
}

/** Which image of a layout is meant: its only one, or the one of a name or digest. */
export interface LayoutChoice {
  readonly name?: string;
  readonly digest?: Digest;
}

/**
 * One image of an OCI layout folder. Without a choice it is the one named `latest`, or the only one there is. Layers
 * are not read: whoever takes them checks them. Fails with `not-found`, naming what is there.
 */
export async function readLayoutImage(
  folder: string,
  { name, digest }: LayoutChoice,
  platform: Platform,
): Promise<FoundImage> {
  const entries = await tagsOf(folder);
  const isNamed = (wanted: string) => (entry: Descriptor) => entry.annotations?.[refName] === wanted;
  const wanted =
    digest !== undefined
      ? entries.filter((entry) => entry.digest === digest)
      : entries.filter(isNamed(name ?? 'latest'));
  const only = name === undefined && digest === undefined && wanted.length === 0 ? entries : wanted;
  const isClear =
    only.length > 0 && new Set(only.map(({ annotations }) => annotations?.[refName])).size === 1;
  if (!isClear) throw noSuchImage(folder, name ?? digest, entries);
  const find = (blob: Digest) => findBlob(folder, blob);
  const [found] = await imagesOf(encodeIndex(only), find, { platform, verify: false });
  return found!;
}

function noSuchImage(folder: string, wanted: string | undefined, entries: readonly Descriptor[]): BuildError {
  const names = entries.map(({ annotations, digest }) => annotations?.[refName] ?? digest);
  const message =
    wanted === undefined
      ? `${folder} holds ${entries.length === 0 ? 'no OCI image' : 'several images, and none is named "latest"'}`
      : `${folder} holds no image "${wanted}"`;
  const hint = names.length === 0 ? 'Name the folder of an OCI layout.' : `There are: ${names.join(', ')}.`;
  return new BuildError('not-found', message, { hint });
}

/** Every blob of an image, each once: layers, configuration, manifest; an index comes after its images. */
export function blobsOf(packed: Packed): readonly BlobSource[] {
  const all = 'images' in packed ? indexBlobs(packed) : imageBlobs(packed);
  return [...new Map(all.map((blob) => [blob.descriptor.digest, blob])).values()];
}

function indexBlobs({ images, index }: PackedIndex): BlobSource[] {
  return [...images.flatMap(imageBlobs), { descriptor: index.descriptor, content: index.bytes }];
}

function imageBlobs(image: PackedImage): BlobSource[] {
  return [
    ...image.layers,
    { descriptor: manifestIn(image).config, content: image.config },
    { descriptor: image.manifest.descriptor, content: image.manifest.bytes },
  ];
}

/** The entries of `index.json` for an image or index: one per name, or a single one without. */
export function entriesOf(packed: Packed): readonly Descriptor[] {
  const plain = 'images' in packed ? packed.index.descriptor : imageEntry(packed);
  if (packed.names.length === 0) return [plain];
  return packed.names.map((name) => ({
    ...plain,
    annotations: { ...plain.annotations, [refName]: name },
  }));
}

function imageEntry({ config, manifest }: PackedImage): Descriptor {
  return { ...manifest.descriptor, platform: platformOf(parseConfig(config)) };
}

/** The bytes of `index.json`: `entries` replace those of `former` that have the same name. */
export function encodeIndex(entries: readonly Descriptor[], former: readonly Descriptor[] = []): Buffer {
  const names = new Set(entries.map((entry) => entry.annotations?.[refName]));
  const digests = new Set(entries.map((entry) => entry.digest));
  const kept = former.filter((entry) => {
    const name = entry.annotations?.[refName];
    return name === undefined ? !digests.has(entry.digest) : !names.has(name);
  });
  const manifests = [...kept, ...entries];
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
}

function manifestIn(image: PackedImage): { readonly config: Descriptor } {
  const parsed = parseManifest(image.manifest.bytes, image.manifest.mediaType);
  if (parsed.kind !== 'image') throw new BuildError('image', 'an index cannot be written as an image');
  return parsed.manifest;
}
