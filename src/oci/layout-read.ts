import { statSync } from 'node:fs';
import type { Digest } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { Descriptor, Platform } from '../core/types.ts';
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

/**
 * The images of an OCI layout (image-spec, image-layout.md): one per entry of `index.json`, for the platform. Entries
 * for another platform, and what is no image, are passed over when others are left. Digests and sizes of manifests
 * and configurations are checked, and with `verify` those of layers too; a mismatch throws `digest-mismatch`.
 */
export async function imagesOf(
  index: Buffer,
  find: FindBlob,
  options: { readonly platform: Platform; readonly verify: boolean },
): Promise<readonly FoundImage[]> {
  const parsed = parseManifest(index);
  if (parsed.kind !== 'index') throw new BuildError('image', 'the index.json of the layout is no index');
  const found: FoundImage[] = [];
  let failure: unknown;
  for (const group of grouped(parsed.manifests)) {
    try {
      found.push(await readImage(choosePlatform(group, options.platform), find, options));
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

async function readImage(
  top: Descriptor,
  find: FindBlob,
  { platform, verify }: { readonly platform: Platform; readonly verify: boolean },
): Promise<FoundImage> {
  let descriptor = top;
  for (let depth = 0; depth < maxDepth; depth++) {
    const bytes = await small(descriptor, find, maxManifestBytes);
    const parsed = parseManifest(bytes, descriptor.mediaType);
    if (parsed.kind === 'index') {
      descriptor = choosePlatform(parsed.manifests, platform);
      continue;
    }
    const config = await small(parsed.manifest.config, find, maxConfigBytes);
    const layers = parsed.manifest.layers.map((layer) => ({ descriptor: layer, path: locate(layer, find) }));
    if (verify) for (const layer of layers) await check(layer);
    const mediaType = parsed.manifest.mediaType ?? descriptor.mediaType;
    return { names: namesOf(top), config, manifest: { bytes, mediaType }, layers };
  }
  throw new BuildError('image', `the layout has more than ${maxDepth} indexes inside each other`);
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
