import { type Digest, digestOf } from '../../src/core/digest.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { Descriptor, Manifest, Platform } from '../../src/core/types.ts';
import { inlineCacheField, parseConfig } from '../../src/oci/config.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { gather } from '../../src/oci/packed.ts';
import { choosePlatform } from '../../src/oci/platform.ts';
import { documentType, maxDocumentBytes, type ReadContent, readDocument } from './document.ts';
import type { CachePlace } from './place.ts';

export interface ImportOptions {
  /** Of an index the images for these are read. */
  readonly platforms: readonly Platform[];
  /** Steps that were made longer ago are passed over. */
  readonly maxAgeMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of what was read. */
  readonly onBytes?: (bytes: number) => void;
}

/** A cache of BuildKit, whose keys are of its own (docs/decisions). */
const buildkitType = 'application/vnd.buildkit.cacheconfig.v0';

/**
 * Reads what a cache tells: its manifest and its document, or the document in the configuration of an image. No layer
 * is fetched. Undefined where nothing is there; fails with `image` where what is there is no cache.
 */
export async function importCache(
  place: CachePlace,
  options: ImportOptions,
): Promise<ReadContent | undefined> {
  const top = await place.manifest(undefined, options.signal);
  if (top === undefined) return undefined;
  options.onBytes?.(top.length);
  const contents: ReadContent[] = [];
  for (const manifest of await manifestsOf(top, place, options)) {
    contents.push(await contentOf(manifest, place, options));
  }
  return {
    steps: contents.flatMap(({ steps }) => steps.filter(({ result }) => isYoung(result.created, options))),
    mounts: new Map(contents.flatMap(({ mounts }) => [...mounts])),
    malformed: contents.reduce((sum, { malformed }) => sum + malformed, 0),
  };
}

async function manifestsOf(
  top: Buffer,
  place: CachePlace,
  { platforms, signal, onBytes }: ImportOptions,
): Promise<Manifest[]> {
  const parsed = parseManifest(top);
  if (parsed.kind === 'image') return [parsed.manifest];
  if (parsed.manifests.some(({ mediaType }) => mediaType === buildkitType)) throw ofBuildkit();
  const chosen = chosenOf(parsed.manifests, platforms);
  const manifests: Manifest[] = [];
  for (const digest of chosen) {
    const bytes = await place.manifest(digest, signal);
    if (bytes === undefined) throw new BuildError('image', `its index names ${digest}, which is not there`);
    onBytes?.(bytes.length);
    const member = parseManifest(bytes);
    if (member.kind !== 'image') throw new BuildError('image', 'its index leads to another index');
    manifests.push(member.manifest);
  }
  return manifests;
}

/** Those for the platforms; one that is not there goes without, as long as another is. */
function chosenOf(manifests: readonly Descriptor[], platforms: readonly Platform[]): ReadonlySet<Digest> {
  const chosen = new Set<Digest>();
  let failure: unknown;
  for (const platform of platforms) {
    try {
      chosen.add(choosePlatform(manifests, platform).digest);
    } catch (error) {
      failure = error;
    }
  }
  if (chosen.size === 0) throw failure;
  return chosen;
}

async function contentOf(
  { config, layers }: Manifest,
  place: CachePlace,
  { signal, onBytes }: ImportOptions,
): Promise<ReadContent> {
  if (config.mediaType === buildkitType) throw ofBuildkit();
  const bytes = await small(config, place, signal);
  onBytes?.(bytes.length);
  const listed = { descriptors: layers, origin: place.origin };
  if (config.mediaType === documentType) return readDocument(jsonOf(bytes), listed);
  const image = parseConfig(bytes);
  const document = image[inlineCacheField];
  if (document !== undefined) return readDocument(document, { ...listed, diffIds: image.rootfs.diff_ids });
  throw new BuildError('image', 'it is an image that holds no cache of tsbuild', {
    hint: 'Build it with --cache-to type=inline, or keep the cache apart with --cache-to type=registry.',
  });
}

async function small(
  descriptor: Descriptor,
  place: CachePlace,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  if (descriptor.size > maxDocumentBytes) throw new BuildError('image', 'its document is larger than 8 MiB');
  const bytes = await gather(await place.fetch([place.origin], descriptor, signal), maxDocumentBytes);
  if (digestOf(bytes) === descriptor.digest) return bytes;
  throw new BuildError('digest-mismatch', `its document is not the one that its manifest names`, {
    hint: 'Something on the way changes what is sent, or the cache is damaged: export it again.',
  });
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new BuildError('image', 'its document is not JSON', { cause });
  }
}

function isYoung(created: string, { maxAgeMs }: ImportOptions): boolean {
  return maxAgeMs === undefined || Date.now() - Date.parse(created) <= maxAgeMs;
}

function ofBuildkit(): BuildError {
  return new BuildError('image', 'it is a cache of BuildKit, which names steps in a way of its own', {
    hint: 'Give the cache of tsbuild a reference of its own.',
  });
}
