import { digestOf } from '../core/digest.ts';
import { gate } from '../core/gates.ts';
import { hostPlatform } from '../core/platform.ts';
import type { Store } from '../core/store.ts';
import type { Image, Layer, Platform } from '../core/types.ts';
import { formatReference } from '../oci/reference.ts';
import { withoutScheme } from './find-image.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts, type Parts } from './wiring.ts';

export interface PullCommand {
  readonly name: string;
  /** Default: this machine's. */
  readonly platform?: Platform;
}

/** Layers that are fetched at once. */
const width = 4;

/** Fetches an image with all its layers and names it; prints its id. */
export async function pull(options: PullCommand, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place, { emit: here.emit });
  const { image, name } = await fetchImage(options, { parts, here });
  here.say(`pulled ${name}\n`);
  here.print(`${idOf(image)}\n`);
}

/** Brings an image with all its layers into the store, under its name and its digest. */
export async function fetchImage(
  { name, platform = hostPlatform() }: PullCommand,
  { parts, here }: { readonly parts: Parts; readonly here: Surroundings },
): Promise<{ readonly image: Image; readonly name: string }> {
  const reference = await parts.registry.meaning(withoutScheme(name));
  const { image, referenceDigest } = await parts.registry.resolve(reference, platform, here.signal);
  const turn = gate(width);
  await Promise.all(image.layers.map((layer) => turn(() => fetchLayer(layer, { store: parts.store, here }))));
  const full = formatReference(reference);
  const canonical = `${reference.host}/${reference.repository}@${referenceDigest}`;
  await parts.store.images.putBeside(image, [...new Set([full, canonical])]);
  return { image, name: full };
}

async function fetchLayer(
  layer: Layer,
  { store, here }: { readonly store: Store; readonly here: Surroundings },
): Promise<void> {
  const size = layer.descriptor?.size ?? 0;
  const tell = (state: 'running' | 'done' | 'exists' | 'failed', done: number): void =>
    here.emit({
      type: 'transfer',
      id: layer.diffId,
      name: `pulling ${layer.diffId.slice(7, 19)}`,
      done,
      total: size,
      state,
    });
  if (store.layers.isAtHand(layer)) return tell('exists', size);
  tell('running', 0);
  try {
    await store.layers.atHand(layer, here.signal);
    tell('done', size);
  } catch (error) {
    tell('failed', 0);
    throw error;
  }
}

function idOf(image: Image): string {
  return digestOf(image.config);
}
