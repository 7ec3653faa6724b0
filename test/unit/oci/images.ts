import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../../../src/core/digest.ts';
import { appendLayer, emptyConfig, encodeConfig } from '../../../src/oci/config.ts';
import { manifestOf } from '../../../src/oci/manifest.ts';
import { layerMediaType } from '../../../src/oci/media-types.ts';
import type { BlobSource, PackedImage } from '../../../src/oci/packed.ts';
import { item, tarOf } from './samples.ts';

/** The platform of the small images. */
export const platform = { os: 'linux', architecture: 'amd64' };

/** A small image of three layers: one plain from a file, one gzip from memory, one gzip from a stream. */
export function smallImage(folder: string, names: readonly string[], note = 'hello'): PackedImage {
  mkdirSync(folder, { recursive: true });
  const tars = [
    tarOf([item({ path: 'etc', type: 'dir', mode: 0o755 }), item({ path: 'etc/motd' }, note)]),
    tarOf([
      item({ path: 'bin', type: 'dir', mode: 0o755 }),
      item({ path: 'bin/x', mode: 0o4755 }, 'x'.repeat(70_000)),
    ]),
    tarOf([
      item({ path: 'etc/motd', type: 'whiteout' }),
      item({ path: 'etc/link', type: 'symlink', link: 'motd' }),
    ]),
  ];
  const file = join(folder, 'layer-0');
  writeFileSync(file, tars[0]!);
  const packed = tars.slice(1).map((tar) => gzipSync(tar));
  const layers: BlobSource[] = [
    { descriptor: blob(tars[0]!, 'uncompressed'), content: file },
    { descriptor: blob(packed[0]!, 'gzip'), content: packed[0]! },
    { descriptor: blob(packed[1]!, 'gzip'), content: () => pieces(packed[1]!) },
  ];
  const history = { created: '2024-01-01T00:00:00Z', created_by: 'COPY' };
  const config = tars.reduce(
    (before, tar) => appendLayer(before, digestOf(tar), history),
    emptyConfig(platform),
  );
  const bytes = encodeConfig(config);
  const manifest = manifestOf({ config: bytes, layers: layers.map((one) => one.descriptor), format: 'oci' });
  return { config: bytes, manifest, layers, names };
}

export async function* pieces(bytes: Buffer, step = 20_000): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

function blob(bytes: Buffer, compression: 'gzip' | 'uncompressed'): BlobSource['descriptor'] {
  return { mediaType: layerMediaType('oci', compression), digest: digestOf(bytes), size: bytes.length };
}
