import { createCipheriv, createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import type { Layers } from '../../src/core/store.ts';
import type { Descriptor, Image, Layer, Origin } from '../../src/core/types.ts';
import { appendLayer, emptyConfig, encodeConfig } from '../../src/oci/config.ts';

/** Layers in memory, as far as a push asks for them, and what it asked. */
export interface FakeLayers {
  readonly layers: Layers;
  /** diffIds that were packed, in order. */
  readonly packed: Digest[];
  readonly added: { readonly digest: Digest; readonly origin: Origin }[];
  /** A layer of our own with one file of these bytes. */
  layer(name: string, content: Buffer): Layer;
  /** An image of these layers for linux/amd64. */
  image(layers: readonly Layer[]): Image;
}

export function fakeLayers(folder: string): FakeLayers {
  mkdirSync(folder, { recursive: true });
  const tars = new Map<Digest, Buffer>();
  const ready = new Map<Digest, { descriptor: Descriptor; path: string }>();
  const packed: Digest[] = [];
  const added: { digest: Digest; origin: Origin }[] = [];
  const pack = (layer: Layer): { descriptor: Descriptor; path: string } => {
    const bytes = gzipSync(tars.get(layer.diffId)!, { level: 1 });
    const path = join(folder, layer.diffId.slice(7));
    writeFileSync(path, bytes);
    const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
    return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, path };
  };
  const ask = async (layer: Layer) => {
    packed.push(layer.diffId);
    const form = ready.get(layer.diffId) ?? pack(layer);
    ready.set(layer.diffId, form);
    return form;
  };
  const some: Pick<Layers, 'descriptor' | 'packed' | 'outgoing' | 'addOrigin' | 'origins'> = {
    descriptor: (layer) => layer.descriptor ?? ready.get(layer.diffId)?.descriptor,
    packed: ask,
    outgoing: async (layer) => {
      const { descriptor, path } = await ask(layer);
      return { descriptor, content: path };
    },
    addOrigin: async ({ digest }, origin) => void added.push({ digest, origin }),
    origins: (digest) => added.filter((one) => one.digest === digest).map((one) => one.origin),
  };
  return {
    // A push asks for nothing else; anything else fails loudly.
    layers: some as Layers,
    packed,
    added,
    layer: (name, content) => {
      const tar = tarOf(name, content);
      tars.set(digestOf(tar), tar);
      return { diffId: digestOf(tar), own: true };
    },
    image: (layers) => {
      const platform = { os: 'linux', architecture: 'amd64' };
      const config = layers.reduce(
        (before, layer) => appendLayer(before, layer.diffId, { created_by: 'test' }),
        emptyConfig(platform),
      );
      return { config: encodeConfig(config), layers, platform };
    },
  };
}

/** Bytes that do not compress, the same for the same seed. */
export function noise(bytes: number, seed = 'noise'): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

/** A ustar archive of one file. */
function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  const fields: [number, string][] = [
    [0, name],
    [100, '0000644\0'],
    [108, '0000000\0'],
    [116, '0000000\0'],
    [124, `${content.length.toString(8).padStart(11, '0')}\0`],
    [136, '00000000000\0'],
    [148, '        '],
    [156, '0'],
    [257, 'ustar\u000000'],
  ];
  for (const [at, text] of fields) header.write(text, at, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([header, content, Buffer.alloc(((512 - (content.length % 512)) % 512) + 1024)]);
}
