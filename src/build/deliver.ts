import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Parts } from '../commands/wiring.ts';
import type { BuildOptions, Output } from '../core/options.ts';
import type { Place } from '../core/place.ts';
import type { Descriptor, Image } from '../core/types.ts';
import { writeDockerArchive, writeOciArchive } from '../oci/archive.ts';
import { writeLayout } from '../oci/layout.ts';
import type { PackedImage } from '../oci/packed.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import { intoFile } from './into-file.ts';
import { loadImage } from './load-image.ts';
import { packImage } from './pack-image.ts';

/** What became of a build's outputs. */
export interface Delivered {
  /** The manifest that was pushed or written last. */
  readonly manifest?: Descriptor;
}

export interface Delivery {
  readonly options: BuildOptions;
  readonly parts: Parts;
  readonly place: Place;
}

/** Hands the image out, one output after the other in the order they were asked for. */
export async function deliver(image: Image, delivery: Delivery): Promise<Delivered> {
  let manifest: Descriptor | undefined;
  for (const output of delivery.options.outputs) {
    manifest = (await deliverTo(output, image, delivery)) ?? manifest;
  }
  return manifest === undefined ? {} : { manifest };
}

async function deliverTo(output: Output, image: Image, delivery: Delivery): Promise<Descriptor | undefined> {
  switch (output.type) {
    case 'registry':
      return await push(output, image, delivery);
    case 'oci':
    case 'docker':
      return await archive(output, image, delivery);
    case 'local':
    case 'tar':
      await files(output, image, delivery);
      return undefined;
    case 'load':
      await loadImage(
        await pack('docker', undefined, image, delivery),
        delivery.place,
        delivery.options.signal,
      );
      return undefined;
  }
}

type OutputOf<T extends Output['type']> = Extract<Output, { type: T }>;

async function push(
  { names, compression }: OutputOf<'registry'>,
  image: Image,
  { options, parts }: Delivery,
): Promise<Descriptor> {
  const wanted = names.length > 0 ? names : options.tags;
  const pushed = await parts.registry.push(image, wanted.map(parseReference), {
    layers: parts.store.layers,
    format: options.format,
    compression,
    forceCompression: compression !== undefined,
    annotations: options.annotations,
    signal: options.signal,
    progress: (transfer) => options.emit({ type: 'transfer', ...transfer }),
  });
  const { mediaType, digest, size } = pushed;
  return { mediaType, digest, size };
}

async function archive(
  output: OutputOf<'oci' | 'docker'>,
  image: Image,
  delivery: Delivery,
): Promise<Descriptor> {
  const packed = await pack(output.type, output, image, delivery);
  if (!output.tar) await writeLayout(output.dest, packed);
  else {
    const write = output.type === 'oci' ? writeOciArchive : writeDockerArchive;
    await intoFile(output.dest, (out) => write(out, [packed]));
  }
  return packed.manifest.descriptor;
}

async function pack(
  format: 'oci' | 'docker',
  output: OutputOf<'oci' | 'docker'> | undefined,
  image: Image,
  { options, parts }: Delivery,
): Promise<PackedImage> {
  const names = output?.name === undefined ? options.tags : [formatReference(parseReference(output.name))];
  return await packImage(image, {
    layers: parts.store.layers,
    names,
    format: format === 'docker' ? 'docker' : options.format,
    compression: output?.compression ?? 'any',
    annotations: options.annotations,
    emit: options.emit,
    signal: options.signal,
  });
}

/** The files alone; loaded only for these outputs. */
async function files(
  { type, dest }: OutputOf<'local' | 'tar'>,
  image: Image,
  delivery: Delivery,
): Promise<void> {
  const { options, parts } = delivery;
  const { layers } = parts.store;
  if (type === 'tar') {
    const { filesystemTar } = await import('./filesystem.ts');
    return await intoFile(dest, (out) => pour(filesystemTar(image, layers, options.signal), out));
  }
  const { writeLocal } = await import('./local-output.ts');
  const skipped = await writeLocal(image, dest, { layers, signal: options.signal });
  if (skipped.length === 0) return;
  const text = `${skipped.length} device or fifo left out of ${dest}: ${skipped.slice(0, 3).join(', ')}`;
  options.emit({ type: 'note', level: 'warning', text });
}

/** Writes a stream and ends it, as fast as the other side takes it. */
async function pour(chunks: AsyncIterable<Buffer>, out: Writable): Promise<void> {
  const failed = new Promise<never>((_, reject) => out.once('error', reject));
  failed.catch(() => {});
  for await (const chunk of chunks) {
    if (!out.write(chunk)) await Promise.race([once(out, 'drain'), failed]);
  }
  if (out === process.stdout) return;
  await Promise.race([new Promise<void>((done) => out.end(done)), failed]);
}
