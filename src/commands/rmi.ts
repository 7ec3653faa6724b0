import { BuildError } from '../core/errors.ts';
import type { Store } from '../core/store.ts';
import { findImage, fullName } from './find-image.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

export interface RmiOptions {
  readonly names: readonly string[];
  /** An image that is named by its id goes although it has several names. */
  readonly force: boolean;
}

/**
 * Removes names, and images with their last name (a name that stands for other platforms too stays for them); what only
 * they needed is freed by `prune`.
 */
export async function rmi(options: RmiOptions, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  for (const name of options.names) await remove(name, { force: options.force, store: parts.store, here });
}

async function remove(
  text: string,
  { force, store, here }: { readonly force: boolean; readonly store: Store; readonly here: Surroundings },
): Promise<void> {
  const name = fullName(text);
  if (name !== undefined && (await store.images.removeName(name))) return here.print(`removed ${name}\n`);
  const { id, names } = await findImage(store, text);
  const tagged = names.filter((other) => !other.includes('@'));
  if (tagged.length > 1 && !force) {
    throw new BuildError('usage', `the image ${text} has several names: ${tagged.join(', ')}`, {
      hint: 'Name those that are to go, or add --force.',
    });
  }
  await store.images.removeImage(id);
  const left = await Promise.all(tagged.map((one) => store.images.find(one)));
  const gone = tagged.filter((_, i) => left[i] === undefined);
  here.print([...gone, id].map((one) => `removed ${one}\n`).join(''));
}
