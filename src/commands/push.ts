import type { Compression } from '../core/types.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import type { PushOptions } from '../registry/push.ts';
import { findImages } from './find-image.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

export interface PushCommand {
  readonly name: string;
  /** Where it goes, when that is not its name. `docker://` before it is understood. */
  readonly destination?: string;
  readonly compression?: Compression;
}

/** Sends an image of the store, or all that a name stands for and their index, to a registry; prints the digest. */
export async function push(options: PushCommand, here: Surroundings): Promise<void> {
  const reference = parseReference((options.destination ?? options.name).replace(/^docker:\/\//, ''));
  await using parts = await openParts(here.root, here.registry, here.place, { emit: here.emit });
  const images = (await findImages(parts.store, options.name)).map(({ image }) => image);
  const how: PushOptions = {
    layers: parts.store.layers,
    format: 'oci',
    compression: options.compression,
    forceCompression: options.compression !== undefined,
    signal: here.signal,
    progress: (transfer) => here.emit({ type: 'transfer', ...transfer }),
  };
  const { digest } =
    images.length === 1
      ? await parts.registry.push(images[0]!, [reference], how)
      : await parts.registry.pushIndex(images, [reference], how);
  await parts.store.images.putAll(images, [`${reference.host}/${reference.repository}@${digest}`]);
  here.say(`pushed ${formatReference(reference)}\n`);
  here.print(`${digest}\n`);
}
