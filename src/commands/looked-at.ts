import { digestOf } from '../core/digest.ts';
import { allOrNone } from '../core/gates.ts';
import { hostPlatform } from '../core/platform.ts';
import type { Layers } from '../core/store.ts';
import type { Image, Listing, Platform } from '../core/types.ts';
import { formatReference } from '../oci/reference.ts';
import { findStored } from './find-image.ts';
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
  const { store, registry } = parts;
  const stored = await findStored(store, name, platform);
  if (stored !== undefined) return { name, id: stored.id, image: stored.image };
  const reference = await registry.meaning(name.replace(/^docker:\/\//, ''));
  const meant = await findStored(store, formatReference(reference), platform);
  if (meant !== undefined) return { name, id: meant.id, image: meant.image };
  here.say(`${name} is not in the store: looking into its registry\n`);
  const { image } = await registry.resolve(reference, platform ?? hostPlatform(), here.signal);
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
