import type { LayerWriter } from '../src/core/store.ts';
import type { Entry, Layer } from '../src/core/types.ts';
import { encodeListing, sorted } from '../src/oci/listing.ts';
import { BlobWriter } from './blobs.ts';
import type { Facts } from './facts.ts';
import { guarded, storeError } from './faults.ts';
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
  const written = (entry: Entry): Entry | Promise<Entry> => {
    entries.push(entry);
    const rest = packer.rest();
    return rest === undefined ? entry : rest.then(() => entry);
  };
  return {
    add(entry, content) {
      try {
        const added = packer.add(entry, content);
        return added instanceof Promise ? guarded(async () => written(await added)) : written(added);
      } catch (error) {
        return Promise.reject(storeError(error));
      }
    },
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
