import type { Compression } from '../core/types.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import { findImage } from './find-image.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

export interface PushCommand {
  readonly name: string;
  /** Where it goes, when that is not its name. `docker://` before it is understood. */
  readonly destination?: string;
  readonly compression?: Compression;
}

/** Sends an image of the store to a registry; prints the digest of its manifest. */
export async function push(options: PushCommand, here: Surroundings): Promise<void> {
  const reference = parseReference((options.destination ?? options.name).replace(/^docker:\/\//, ''));
  await using parts = await openParts(here.root, here.registry, here.place);
  const { image } = await findImage(parts.store, options.name);
  const pushed = await parts.registry.push(image, [reference], {
    layers: parts.store.layers,
    format: 'oci',
    compression: options.compression,
    forceCompression: options.compression !== undefined,
    signal: here.signal,
    progress: (transfer) => here.emit({ type: 'transfer', ...transfer }),
  });
  const canonical = `${reference.host}/${reference.repository}@${pushed.digest}`;
  await parts.store.images.put(image, [canonical]);
  here.say(`pushed ${formatReference(reference)}\n`);
  here.print(`${pushed.digest}\n`);
}
