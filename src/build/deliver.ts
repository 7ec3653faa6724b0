import { once } from 'node:events';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Parts } from '../commands/wiring.ts';
import type { BuildOptions, Output } from '../core/options.ts';
import type { Place } from '../core/place.ts';
import { formatPlatform } from '../core/platform.ts';
import { timed } from '../core/spans.ts';
import type { Descriptor, Image } from '../core/types.ts';
import { writeDockerArchive, writeOciArchive } from '../oci/archive.ts';
import type { Attest } from '../oci/attestation.ts';
import { writeLayout } from '../oci/layout.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import type { Signer } from '../oci/signature.ts';
import type { Transfer } from '../registry/push.ts';
import { intoFile } from './into-file.ts';
import { loadImage } from './load-image.ts';
import { type PackOptions, packImage } from './pack-image.ts';
import { packIndex } from './pack-index.ts';

/** What a build made: an image, or images for several platforms that an index is to name. */
export interface Made {
  readonly images: readonly [Image, ...Image[]];
  readonly isIndex: boolean;
  /** What is said about the images, where that was asked for: it takes an index, too. */
  readonly attest?: Attest | undefined;
  readonly signer?: Signer | undefined;
}

/** What became of a build's outputs. */
export interface Delivered {
  /** The manifest or index that was pushed or written last. */
  readonly manifest?: Descriptor;
  /** The manifests that it names, where it is an index, in the order of the images. */
  readonly members?: readonly Descriptor[];
}

export interface Delivery {
  readonly options: BuildOptions;
  readonly parts: Parts;
  readonly place: Place;
}

const leftOut =
  'attestations are left out: they stand beside an image in its index. Push it, or write it with -o type=oci';

/** Hands out what was made, one output after the other in the order they were asked for. */
export async function deliver(made: Made, delivery: Delivery): Promise<Delivered> {
  const { emit, outputs } = delivery.options;
  if (made.attest !== undefined && !outputs.some(({ type }) => type === 'registry' || type === 'oci'))
    emit({ type: 'note', level: 'warning', text: leftOut });
  let delivered: Delivered = {};
  for (const output of outputs) {
    delivered = (await deliverTo(output, made, delivery)) ?? delivered;
  }
  return delivered;
}

/** Docker's archives hold one platform: the command line has made sure of that. */
async function deliverTo(output: Output, made: Made, delivery: Delivery): Promise<Delivered | undefined> {
  const { signal } = delivery.options;
  switch (output.type) {
    case 'registry':
      return await push(output, made, delivery);
    case 'oci':
      return await archive(output, made, delivery);
    case 'docker': {
      const packed = await packImage(made.images[0], packing(output, delivery));
      await intoFile(output.dest, (out) => writeDockerArchive(out, [packed]), signal);
      return { manifest: packed.manifest.descriptor };
    }
    case 'local':
    case 'tar':
      await files(output, made, delivery);
      return undefined;
    case 'load': {
      const packed = await packImage(made.images[0], packing({ type: 'docker' }, delivery));
      const { emit, signal } = delivery.options;
      await timed(emit, 'push', () => loadImage(packed, delivery.place, signal));
      return undefined;
    }
  }
}

type OutputOf<T extends Output['type']> = Extract<Output, { type: T }>;

async function push(
  { names, compression, forceCompression = false }: OutputOf<'registry'>,
  { images, isIndex, attest, signer }: Made,
  { options, parts }: Delivery,
): Promise<Delivered> {
  const references = (names.length > 0 ? names : options.tags).map(parseReference);
  const { emit } = options;
  const how = {
    layers: parts.store.layers,
    format: options.format,
    compression,
    forceCompression,
    annotations: options.annotations,
    attest,
    signer,
    signal: options.signal,
    progress: (transfer: Transfer) => emit({ type: 'transfer', ...transfer, way: 'out' }),
    emit,
  };
  const sent = <T>(send: () => Promise<T>): Promise<T> => timed(emit, 'push', send);
  if (!isIndex && attest === undefined)
    return { manifest: descriptorIn(await sent(() => parts.registry.push(images[0], references, how))) };
  const pushed = await sent(() => parts.registry.pushIndex(images, references, how));
  return { manifest: descriptorIn(pushed), members: pushed.manifests };
}

function descriptorIn({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

/** An OCI archive or layout folder. */
async function archive(
  output: OutputOf<'oci' | 'docker'>,
  { images, isIndex, attest }: Made,
  delivery: Delivery,
): Promise<Delivered> {
  const options = packing(output, delivery);
  const inIndex = isIndex || attest !== undefined;
  const packed = inIndex
    ? await packIndex(images, { ...options, attest })
    : await packImage(images[0], options);
  if (!output.tar) await writeLayout(output.dest, packed);
  else await intoFile(output.dest, (out) => writeOciArchive(out, [packed]), options.signal);
  if (!('images' in packed)) return { manifest: packed.manifest.descriptor };
  const members = packed.images.map(({ manifest }) => manifest.descriptor);
  return { manifest: packed.index.descriptor, members };
}

/** How the layers of an output are packed, and under which names it is known. */
export function packing(
  output: Partial<Pick<OutputOf<'oci' | 'docker'>, 'name' | 'compression' | 'forceCompression'>> & {
    readonly type: string;
  },
  { options, parts }: Omit<Delivery, 'place'>,
): PackOptions {
  const { annotations, emit, signal } = options;
  return {
    layers: parts.store.layers,
    names: output.name === undefined ? options.tags : [formatReference(parseReference(output.name))],
    format: output.type === 'docker' ? 'docker' : options.format,
    compression: output.compression ?? 'any',
    forceCompression: output.forceCompression ?? false,
    ...{ annotations, emit, signal },
  };
}

/** The files alone, those of an index in a folder per platform; loaded only for these outputs. */
async function files(
  { type, dest }: OutputOf<'local' | 'tar'>,
  { images, isIndex }: Made,
  { options, parts }: Delivery,
): Promise<void> {
  const { layers } = parts.store;
  const { signal } = options;
  const folderOf = ({ platform }: Image): string =>
    isIndex ? formatPlatform(platform).replaceAll('/', '_') : '';
  if (type === 'tar') {
    const { filesystemTar } = await import('./filesystem.ts');
    const parts = images.map((image) => ({ image, folder: folderOf(image) }));
    return await intoFile(dest, (out) => pour(filesystemTar(parts, layers, signal), out), signal);
  }
  const { writeLocal } = await import('./local-output.ts');
  for (const image of images) {
    const skipped = await writeLocal(image, join(dest, folderOf(image)), { layers, signal });
    if (skipped.length === 0) continue;
    const text = `${skipped.length} device or fifo left out of ${dest}: ${skipped.slice(0, 3).join(', ')}`;
    options.emit({ type: 'note', level: 'warning', text });
  }
}

/** Writes a stream and ends it, as fast as the other side takes it. */
export async function pour(chunks: AsyncIterable<Buffer>, out: Writable): Promise<void> {
  const failed = new Promise<never>((_, reject) => out.once('error', reject));
  failed.catch(() => {});
  for await (const chunk of chunks) {
    if (!out.write(chunk)) await Promise.race([once(out, 'drain'), failed]);
  }
  if (out === process.stdout) return;
  await Promise.race([new Promise<void>((done) => out.end(done)), failed]);
}
