import { packImage } from '../build/pack-image.ts';
import { packIndex } from '../build/pack-index.ts';
import { type BuildError, usageError } from '../core/errors.ts';
import { formatPlatform } from '../core/platform.ts';
import type { Image } from '../core/types.ts';
import { findNamed, nameToGive } from './find-image.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts, type Parts } from './wiring.ts';

/**
 * Joins images for different platforms under one name. Each comes from the store or else from its registry, where its
 * layers stay until they are needed. Fails with `usage` where two are for the same platform.
 */
export async function createManifest(
  options: { readonly name: string; readonly images: readonly string[] },
  here: Surroundings,
): Promise<void> {
  const name = nameToGive(options.name);
  await using parts = await openParts(here.root, here.registry, here.place, { emit: here.emit });
  const found: { readonly text: string; readonly image: Image }[] = [];
  for (const text of options.images) {
    for (const image of await imagesOf(text, { parts, here })) found.push({ text, image });
  }
  const byPlatform = new Map<string, string>();
  for (const { text, image } of found) {
    const platform = formatPlatform(image.platform);
    const other = byPlatform.get(platform);
    if (other !== undefined) throw twice(platform, other, text);
    byPlatform.set(platform, text);
  }
  await parts.store.images.putAll(
    found.map(({ image }) => image),
    [name],
  );
  here.say(`${name} is for ${[...byPlatform.keys()].join(', ')}\n`);
}

/** Prints the manifest or index of a name of the store, as it would be pushed, or else as its registry has it. */
export async function inspectManifest(name: string, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place, { emit: here.emit });
  const local = await findNamed(parts.store, name);
  if (local.length === 0) {
    const { bytes } = await parts.registry.manifest(
      await parts.registry.meaning(withoutTransport(name)),
      here.signal,
    );
    return here.print(`${bytes.toString('utf8').trimEnd()}\n`);
  }
  const how = {
    layers: parts.store.layers,
    names: [],
    format: 'oci',
    compression: 'any',
    signal: here.signal,
  } as const;
  const images = local.map(({ image }) => image);
  const { bytes } =
    images.length === 1 ? (await packImage(images[0]!, how)).manifest : (await packIndex(images, how)).index;
  here.print(`${bytes.toString('utf8')}\n`);
}

/** `docker://` before a name says that a registry is meant, as elsewhere. */
async function imagesOf(
  text: string,
  { parts, here }: { readonly parts: Parts; readonly here: Surroundings },
): Promise<readonly Image[]> {
  const plain = withoutTransport(text);
  const local = plain === text ? await findNamed(parts.store, text) : [];
  if (local.length > 0) return local.map(({ image }) => image);
  return await parts.registry.resolveAll(await parts.registry.meaning(plain), here.signal);
}

function withoutTransport(text: string): string {
  return text.replace(/^docker:\/\//, '');
}

function twice(platform: string, one: string, other: string): BuildError {
  const names = one === other ? `${one} twice` : `${one} and ${other}`;
  return usageError(
    `an index has one image for a platform, and ${names} are for ${platform}`,
    'Leave one of them away, or name an image for another platform.',
  );
}
