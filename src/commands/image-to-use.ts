import type { StoredImage } from '../core/store.ts';
import type { Image, Platform } from '../core/types.ts';
import { formatReference } from '../oci/reference.ts';
import { findStored, withoutScheme } from './find-image.ts';
import { fetchImage } from './pull.ts';
import type { Surroundings } from './surroundings.ts';
import type { Parts } from './wiring.ts';

interface Wanted {
  readonly name: string;
  readonly platform?: Platform | undefined;
}

/** An image of the store by id, by name, or by what the name means here (registries.conf); undefined where there is none. */
export async function storedImage(
  { name, platform }: Wanted,
  { store, registry }: Parts,
): Promise<StoredImage | undefined> {
  const stored = await findStored(store, name, platform);
  if (stored !== undefined) return stored;
  return await findStored(store, formatReference(await registry.meaning(withoutScheme(name))), platform);
}

/** As `storedImage`; one that is not in the store is pulled. */
export async function imageToUse(wanted: Wanted, parts: Parts, here: Surroundings): Promise<Image> {
  const stored = await storedImage(wanted, parts);
  if (stored !== undefined) return stored.image;
  const { name, platform } = wanted;
  here.say(`${name} is not in the store: pulling it\n`);
  return (await fetchImage({ name, ...(platform && { platform }) }, { parts, here })).image;
}
