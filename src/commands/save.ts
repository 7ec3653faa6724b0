import { intoFile } from '../build/into-file.ts';
import { type PackOptions, packImage } from '../build/pack-image.ts';
import { packIndex } from '../build/pack-index.ts';
import { writeDockerArchive, writeOciArchive } from '../oci/archive.ts';
import { findImage, findImages, fullName } from './find-image.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

export interface SaveCommand {
  readonly name: string;
  readonly format: 'oci-archive' | 'docker-archive';
  /** Absolute path, or `-` for stdout. */
  readonly dest: string;
}

/**
 * Writes an image of the store to an archive, under the name asked for; a file appears only once it is whole. A name
 * that stands for several platforms goes whole into an OCI archive; a docker archive holds this machine's.
 */
export async function save(options: SaveCommand, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const found = await findImages(parts.store, options.name);
  const how: PackOptions = {
    layers: parts.store.layers,
    names: found[0].names.filter((name) => name === fullName(options.name)),
    format: 'oci',
    compression: 'any',
    signal: here.signal,
  };
  if (options.format === 'oci-archive' && found.length > 1) {
    const packed = await packIndex(
      found.map(({ image }) => image),
      how,
    );
    return await intoFile(options.dest, (out) => writeOciArchive(out, [packed]), here.signal);
  }
  const { image } = await findImage(parts.store, options.name);
  const packed = await packImage(image, how);
  const write = options.format === 'oci-archive' ? writeOciArchive : writeDockerArchive;
  await intoFile(options.dest, (out) => write(out, [packed]), here.signal);
}
