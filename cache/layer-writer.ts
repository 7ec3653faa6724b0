import type { LayerWriter } from '../src/core/store.ts';
import type { Entry, Layer } from '../src/core/types.ts';
import { encodeListing, sorted } from '../src/oci/listing.ts';
import { BlobWriter } from './blobs.ts';
import type { Facts } from './facts.ts';
import { guarded } from './faults.ts';
import type { Home } from './home.ts';
import type { Listings } from './listings.ts';
import { TarPacker } from './packer.ts';

/** Opens a new layer; nothing of it is in the store before `commit`. */
export function openLayerWriter(store: {
  readonly home: Home;
  readonly facts: Facts;
  readonly listings: Listings;
}): LayerWriter {
  const blob = new BlobWriter(store.home);
  const packer = new TarPacker((chunk) => blob.append(chunk));
  const entries: Entry[] = [];
  return {
    add: (entry, content) =>
      guarded(async () => {
        const pending = packer.add(entry, content);
        const added = pending instanceof Promise ? await pending : pending;
        entries.push(added);
        const rest = packer.rest();
        if (rest !== undefined) await rest;
        return added;
      }),
    commit: () =>
      guarded(async (): Promise<Layer> => {
        const diffId = packer.finish();
        store.facts.setTarSize(diffId, packer.size);
        store.listings.keep(diffId, encodeListing(sorted(entries)));
        blob.keep(diffId);
        return { diffId, own: true };
      }),
    abandon: async () => blob.abandon(),
  };
}
