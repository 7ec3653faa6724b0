import { openSigner } from '../build/open-signer.ts';
import type { Annotated, Annotation } from '../core/options.ts';
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
  /** A key, as `BuildOptions.sign`. */
  readonly sign?: string;
  /** An index goes out even for a single image. */
  readonly asIndex?: boolean;
  /** Annotations for what the name turns out to stand for; fails with `usage` on one that fits nothing of it. */
  readonly annotate?: (made: Annotated) => Annotation[];
}

/** Sends an image of the store, or all that a name stands for and their index, to a registry; prints the digest. */
export async function push(options: PushCommand, here: Surroundings): Promise<void> {
  const reference = parseReference((options.destination ?? options.name).replace(/^docker:\/\//, ''));
  await using parts = await openParts(here.root, here.registry, here.place, { emit: here.emit });
  const images = (await findImages(parts.store, options.name)).map(({ image }) => image);
  const isIndex = options.asIndex === true || images.length > 1;
  const how: PushOptions = {
    layers: parts.store.layers,
    format: 'oci',
    compression: options.compression,
    forceCompression: options.compression !== undefined,
    annotations: options.annotate?.({ isIndex, platforms: images.map(({ platform }) => platform) }) ?? [],
    signer: options.sign === undefined ? undefined : openSigner(options.sign, process.env),
    signal: here.signal,
    progress: (transfer) => here.emit({ type: 'transfer', ...transfer }),
  };
  const { digest } = isIndex
    ? await parts.registry.pushIndex(images, [reference], how)
    : await parts.registry.push(images[0]!, [reference], how);
  await parts.store.images.putAll(images, [`${reference.host}/${reference.repository}@${digest}`]);
  here.say(`pushed ${formatReference(reference)}\n`);
  here.print(`${digest}\n`);
}
