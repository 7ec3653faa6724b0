import { findImage, nameToGive } from './find-image.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

/** Gives an image another name; a name that another image had moves. */
export async function tag(
  options: { readonly name: string; readonly added: string },
  here: Surroundings,
): Promise<void> {
  const added = nameToGive(options.added);
  await using parts = await openParts(here.root, here.registry, here.place);
  const { image } = await findImage(parts.store, options.name);
  await parts.store.images.put(image, [added]);
}
