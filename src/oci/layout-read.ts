import { statSync } from 'node:fs';
import type { Digest } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { Descriptor, Manifest, Platform } from '../core/types.ts';
import { maxConfigBytes } from './config.ts';
import { maxManifestBytes, parseManifest } from './manifest.ts';
import { blobBytes, type FoundImage, gather } from './packed.ts';
import { choosePlatform } from './platform.ts';

/** Annotations in which a layout keeps the names of its images. */
export const refName = 'org.opencontainers.image.ref.name';
const fullName = 'io.containerd.image.name';
/** An index may stand in an index, but no deeper than any tool writes. */
const maxDepth = 4;

/** Where a layout's blobs are: the path of a file, or undefined. */
export type FindBlob = (digest: Digest) => string | undefined;

/** What is read of a layout. */
interface Reading {
  /** The platform whose images are wanted; without it every one's. */
  readonly platform?: Platform;
  /** Whether the digests of layers are checked too. */
  readonly verify: boolean;
}

/**
 * The images of an OCI layout (image-spec, image-layout.md): one per entry of `index.json`, for the platform, or one
 * per platform. Entries for another platform, and what is no image or not all there, are passed over when others are
 * left. Digests and sizes of manifests and configurations are checked, and with `verify` those of layers too; a
 * mismatch throws `digest-mismatch`.
 */
export async function imagesOf(
  index: Buffer,
  find: FindBlob,
  reading: Reading,
): Promise<readonly FoundImage[]> {
  const parsed = parseManifest(index);
  if (parsed.kind !== 'index') throw new BuildError('image', 'the index.json of the layout is no index');
  return await collect(grouped(parsed.manifests), (group) =>
    collect(wantedOf(group, reading), (top) => readAll({ top, descriptor: top, depth: 0 }, find, reading)),
  );
}

/** What all of them hold; those that are not there are passed over when others are. */
async function collect<T>(
  items: readonly T[],
  read: (item: T) => Promise<FoundImage[]>,
): Promise<FoundImage[]> {
  const found: FoundImage[] = [];
  let failure: unknown;
  for (const item of items) {
    try {
      found.push(...(await read(item)));
    } catch (error) {
      if (!(error instanceof BuildError) || error.code !== 'not-found') throw error;
      failure = error;
    }
  }
  if (found.length > 0) return found;
  throw failure ?? new BuildError('not-found', 'the layout holds no image');
}

/** Entries of one name are the platforms of one image; each without a platform stands for itself. */
function grouped(manifests: readonly Descriptor[]): Descriptor[][] {
  const groups = new Map<string, Descriptor[]>();
  for (const [i, descriptor] of manifests.entries()) {
    const name = namesOf(descriptor)[0] ?? '';
    const key = descriptor.platform === undefined ? `#${i}` : `=${name}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [descriptor]);
    else group.push(descriptor);
  }
  return [...groups.values()];
}

/** The one of the platform that is wanted, or all images; attestations are none. */
function wantedOf(manifests: readonly Descriptor[], { platform }: Reading): readonly Descriptor[] {
  if (platform !== undefined) return [choosePlatform(manifests, platform)];
  return manifests.filter((one) => one.platform?.os !== 'unknown');
}

interface Place {
  /** The entry of `index.json` that leads there. */
  readonly top: Descriptor;
  readonly descriptor: Descriptor;
  readonly depth: number;
}

async function readAll(place: Place, find: FindBlob, reading: Reading): Promise<FoundImage[]> {
  const { top, descriptor, depth } = place;
  if (depth >= maxDepth)
    throw new BuildError('image', `the layout has more than ${maxDepth} indexes inside each other`);
  const bytes = await small(descriptor, find, maxManifestBytes);
  const parsed = parseManifest(bytes, descriptor.mediaType);
  if (parsed.kind === 'image') return [await imageOf({ place, bytes, ...parsed }, find, reading)];
  return await collect(wantedOf(parsed.manifests, reading), (member) =>
    readAll({ top, descriptor: member, depth: depth + 1 }, find, reading),
  );
}

interface FoundManifest {
  readonly place: Place;
  readonly bytes: Buffer;
  readonly manifest: Manifest;
}

async function imageOf(
  { place, bytes, manifest }: FoundManifest,
  find: FindBlob,
  { verify }: Reading,
): Promise<FoundImage> {
  const config = await small(manifest.config, find, maxConfigBytes);
  const layers = manifest.layers.map((layer) => ({ descriptor: layer, path: locate(layer, find) }));
  if (verify) for (const layer of layers) await check(layer);
  const mediaType = manifest.mediaType ?? place.descriptor.mediaType;
  return { names: namesOf(place.top), config, manifest: { bytes, mediaType }, layers };
}

function namesOf({ annotations }: Descriptor): string[] {
  const name = annotations?.[fullName] ?? annotations?.[refName];
  return name === undefined || name === '' ? [] : [name];
}

function small(descriptor: Descriptor, find: FindBlob, limit: number): Promise<Buffer> {
  return gather(blobBytes({ descriptor, content: locate(descriptor, find) }), limit);
}

async function check({ descriptor, path }: { descriptor: Descriptor; path: string }): Promise<void> {
  for await (const _ of blobBytes({ descriptor, content: path }));
}

function locate({ digest, size }: Descriptor, find: FindBlob): string {
  const path = find(digest);
  if (path !== undefined && statSync(path).size === size) return path;
  if (path !== undefined)
    throw new BuildError('digest-mismatch', `the blob ${digest} has another size than announced`);
  throw new BuildError('not-found', `the layout lacks the blob ${digest}`, {
    hint: 'It was written for some platforms only, or not completely.',
  });
}
