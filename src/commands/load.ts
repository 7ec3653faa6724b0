import { createReadStream, statSync } from 'node:fs';
import { BuildError } from '../core/errors.ts';
import type { Store } from '../core/store.ts';
import type { Image } from '../core/types.ts';
import { readArchive } from '../oci/archive-read.ts';
import { parseConfig, platformOf } from '../oci/config.ts';
import { readLayout } from '../oci/layout.ts';
import type { FoundImage } from '../oci/packed.ts';
import { fullName } from './find-image.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

/**
 * Takes the images of an archive or a layout folder into the store, all their platforms; prints their names, or ids
 * where they have none.
 */
export async function load(options: { readonly source: string }, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  await using scratch = await parts.store.scratch();
  const found = await named(options.source, () => readImages(options.source, scratch.path));
  for (const { names, images } of byName(found)) {
    const kept: Image[] = [];
    for (const image of images) kept.push(await named(options.source, () => keep(image, parts.store)));
    const stored = await parts.store.images.putAll(kept, names);
    const shown = names.length > 0 ? names : stored.map(({ id }) => id);
    here.print(shown.map((name) => `${name}\n`).join(''));
  }
}

/** Does what is about an archive; an error says which one it was. */
async function named<T>(source: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BuildError) || error.message.includes(source)) throw error;
    const { code, message, hint } = error;
    const where = source === '-' ? 'stdin' : source;
    throw new BuildError(code, `loading ${where} failed: ${message}`, {
      cause: error,
      ...(hint !== undefined && { hint }),
    });
  }
}

interface NamedImages {
  readonly names: readonly string[];
  /** One per platform. */
  readonly images: FoundImage[];
}

/** Images of one name are the platforms of one. */
function byName(found: readonly FoundImage[]): Iterable<NamedImages> {
  const groups = new Map<string, NamedImages>();
  for (const image of found) {
    const names = image.names.flatMap((name) => fullName(name) ?? []);
    const group = groups.get(names.join(' ')) ?? { names, images: [] };
    group.images.push(image);
    groups.set(names.join(' '), group);
  }
  return groups.values();
}

async function readImages(source: string, folder: string): Promise<readonly FoundImage[]> {
  if (source === '-') return readArchive(process.stdin, folder);
  const stat = statSync(source, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new BuildError('not-found', `there is no ${source}`, {
      hint: 'Name an archive or an OCI layout folder with -i.',
    });
  if (stat.isDirectory()) return readLayout(source);
  return readArchive(createReadStream(source, { highWaterMark: 1 << 20 }), folder);
}

/** Brings the blobs of an image into the store, each checked against its digest on the way. */
export async function keep(found: FoundImage, store: Store): Promise<Image> {
  const config = parseConfig(found.config);
  for (const { descriptor, path } of found.layers) {
    if (store.blobs.has(descriptor.digest)) continue;
    await store.blobs.writeStream(createReadStream(path, { highWaterMark: 1 << 20 }), descriptor);
  }
  return {
    config: found.config,
    manifest: found.manifest,
    platform: platformOf(config),
    layers: found.layers.map(({ descriptor }, i) => ({
      diffId: config.rootfs.diff_ids[i]!,
      descriptor,
      own: false,
    })),
  };
}
