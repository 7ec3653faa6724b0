import type { Digest } from '../src/core/digest.ts';
import type { Entry } from '../src/core/types.ts';
import { encodeListing } from '../src/oci/listing.ts';
import { TarPacker } from './packer.ts';

/** What packing a folder's entries comes to. */
export interface Packed {
  readonly diffId: Digest;
  readonly tarSize: number;
  /** The encoded listing. */
  readonly listing: Buffer;
}

/** Names the layer that the entries below `folder` make, by streaming its tar into the hash; keeps nothing of it. */
export async function packFolder(folder: string, entries: readonly Entry[]): Promise<Packed> {
  const packer = new TarPacker();
  const listing: Entry[] = [];
  for (const entry of entries) {
    const added = packer.add(entry, entry.type === 'file' ? `${folder}/${entry.path}` : undefined);
    listing.push(added instanceof Promise ? await added : added);
  }
  const diffId = packer.finish();
  return { diffId, tarSize: packer.size, listing: encodeListing(listing) };
}
