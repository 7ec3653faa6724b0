import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

/** What a shell completes from the store: names of images as people type them, ids of builds and of cache mounts. */
export async function printNames(kind: 'images' | 'builds' | 'caches', here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const { builds, images, mounts } = parts.store;
  const names = {
    images: async () => (await images.list()).flatMap((image) => image.names.map(shortName)),
    builds: async () => builds.list().map(({ id }) => id),
    caches: async () => mounts.list().map(({ id }) => id),
  };
  const found = [...new Set(await names[kind]())].filter((name) => /^[\w./:@+-]+$/.test(name));
  here.print(found.map((name) => `${name}\n`).join(''));
}

function shortName(name: string): string {
  return name.replace(/^docker\.io\/(library\/)?/, '').replace(/:latest$/, '');
}
