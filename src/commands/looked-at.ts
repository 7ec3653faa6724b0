import { digestOf } from '../core/digest.ts';
import { allOrNone } from '../core/gates.ts';
import { hostPlatform } from '../core/platform.ts';
import type { Layers } from '../core/store.ts';
import type { Image, Listing, Platform } from '../core/types.ts';
import { withoutScheme } from './find-image.ts';
import { storedImage } from './image-to-use.ts';
import type { Surroundings } from './surroundings.ts';
import type { Parts } from './wiring.ts';

/** An image that is only looked at. */
export interface LookedAt {
  /** As it was asked for. */
  readonly name: string;
  /** Digest of its configuration. */
  readonly id: string;
  readonly image: Image;
}

/** Layers that are read at once. */
const width = 4;

/**
 * An image by name or id: of the store, else of its registry, which is told; of several platforms `platform`, else this
 * machine's. Of a registry's image nothing is kept but what `listingsOf` learns of it. Fails as registries do.
 */
export async function lookAt(
  { name, platform }: { readonly name: string; readonly platform?: Platform | undefined },
  { parts, here }: { readonly parts: Parts; readonly here: Surroundings },
): Promise<LookedAt> {
  const stored = await storedImage({ name, platform }, parts);
  if (stored !== undefined) return { name, id: stored.id, image: stored.image };
  here.say(`${name} is not in the store: looking into its registry\n`);
  const reference = await parts.registry.meaning(withoutScheme(name));
  const { image } = await parts.registry.resolve(reference, platform ?? hostPlatform(), here.signal);
  return { name, id: digestOf(image.config), image };
}

/** What each layer holds, the lowest first; one that is not at hand is read where it is, and not kept. */
export async function listingsOf(
  { layers }: Image,
  store: Layers,
  signal: AbortSignal,
): Promise<readonly Listing[]> {
  return await allOrNone(layers, { width, signal }, (layer, ended) => store.listing(layer, ended));
}
