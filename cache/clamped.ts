import { finish, hasher } from '../src/core/digest.ts';
import type { Layer, Listing } from '../src/core/types.ts';
import { encodeListing } from '../src/oci/listing.ts';
import { clampTar } from '../src/oci/tar-clamp.ts';
import type { Facts } from './facts.ts';
import type { Listings } from './listings.ts';

/** A layer of our own, as its clamping reads it. */
export interface Unclamped {
  readonly layer: Layer;
  readonly listing: Listing;
  tar(): AsyncIterable<Buffer>;
}

/**
 * The same layer with every time later than `epoch` (seconds) set to it. Only its digest and listing are made and
 * kept: its tar is made from the first layer's whenever it is wanted. A layer that has no later time stays as it is.
 */
export async function clampLayer(
  { layer, listing, tar }: Unclamped,
  epoch: number,
  { facts, listings }: { readonly facts: Facts; readonly listings: Listings },
): Promise<Layer> {
  if (listing.every((entry) => entry.mtime <= epoch)) {
    facts.setClamped(layer.diffId, epoch, layer.diffId);
    return layer;
  }
  const hash = hasher();
  let size = 0;
  for await (const chunk of clampTar(tar(), epoch)) {
    hash.update(chunk);
    size += chunk.length;
  }
  const diffId = finish(hash);
  facts.setTarSize(diffId, size);
  listings.keep(diffId, encodeListing(clampListing(listing, epoch)));
  facts.setClamped(layer.diffId, epoch, diffId);
  return { diffId, own: true };
}

export function clampListing(listing: Listing, epoch: number): Listing {
  return listing.map((entry) => (entry.mtime > epoch ? { ...entry, mtime: epoch } : entry));
}
