import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { digestOf } from '../core/digest.ts';
import { BuildError, errnoOf } from '../core/errors.ts';
import type { Layers } from '../core/store.ts';
import type { Image } from '../core/types.ts';
import { writeDockerArchive, writeOciArchive } from '../oci/archive.ts';
import { manifestOf } from '../oci/manifest.ts';
import type { PackedImage } from '../oci/packed.ts';
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
  const packed = await packedImage(image, { names, layers: parts.store.layers, signal: here.signal });
  const write = options.format === 'oci-archive' ? writeOciArchive : writeDockerArchive;
  if (options.dest === '-') await intoStdout((out) => write(out, [packed]));
  else await intoFile(options.dest, (out) => write(out, [packed]));
}

interface Packing {
  readonly names: readonly string[];
  readonly layers: Layers;
  readonly signal: AbortSignal;
}

/** An image with its layers packed as they are or, where they never were, with gzip. */
async function packedImage(image: Image, { names, layers, signal }: Packing): Promise<PackedImage> {
  const packed = await Promise.all(image.layers.map((layer) => layers.packed(layer, 'any', signal)));
  const descriptors = packed.map(({ descriptor }) => descriptor);
  const manifest = image.manifest ?? manifestOf({ config: image.config, layers: descriptors, format: 'oci' });
  const { bytes, mediaType } = manifest;
  return {
    names,
    config: image.config,
    manifest: { bytes, mediaType, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } },
    layers: packed.map(({ descriptor, path }) => ({ descriptor, content: path })),
  };
}

/** A reader that went away is no bug of ours. */
async function intoStdout(write: (out: Writable) => Promise<void>): Promise<void> {
  try {
    await write(process.stdout);
  } catch (error) {
    if (errnoOf(error) !== 'EPIPE') throw error;
    throw new BuildError('output', 'whoever read the archive from stdout went away', { cause: error });
  }
}

async function intoFile(dest: string, write: (out: Writable) => Promise<void>): Promise<void> {
  const temporary = `${dest}.${process.pid}.tmp`;
  try {
    await write(createWriteStream(temporary, { flags: 'wx' }));
    await rename(temporary, dest);
  } catch (error) {
    await rm(temporary, { force: true });
    if (errnoOf(error) === undefined) throw error;
    throw new BuildError('output', `${dest} cannot be written (${errnoOf(error)})`, { cause: error });
  }
}
