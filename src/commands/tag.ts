import { findImages, nameToGive } from './find-image.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

/** Gives an image, or all that a name stands for, another name; a name that another image had moves. */
export async function tag(
  options: { readonly name: string; readonly added: string },
  here: Surroundings,
): Promise<void> {
  const added = nameToGive(options.added);
  await using parts = await openParts(here.root, here.registry, here.place);
  const found = await findImages(parts.store, options.name);
  await parts.store.images.putAll(
    found.map(({ image }) => image),
    [added],
  );
}
