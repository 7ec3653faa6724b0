import { intoFile } from '../build/into-file.ts';
import { packImage } from '../build/pack-image.ts';
import { writeDockerArchive, writeOciArchive } from '../oci/archive.ts';
import { findImage, fullName } from './find-image.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

export interface SaveCommand {
  readonly name: string;
  readonly format: 'oci-archive' | 'docker-archive';
  /** Absolute path, or `-` for stdout. */
  readonly dest: string;
}

/** Writes an image of the store to an archive, under the name asked for; a file appears only once it is whole. */
export async function save(options: SaveCommand, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const { image, names: all } = await findImage(parts.store, options.name);
  const names = all.filter((name) => name === fullName(options.name));
  const packed = await packImage(image, {
    layers: parts.store.layers,
    names,
    format: 'oci',
    compression: 'any',
    signal: here.signal,
  });
  const write = options.format === 'oci-archive' ? writeOciArchive : writeDockerArchive;
  await intoFile(options.dest, (out) => write(out, [packed]));
}
