import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf, hexOf } from '../../../src/core/digest.ts';
import { BuildError } from '../../../src/core/errors.ts';
import type { Platform } from '../../../src/core/types.ts';
import { writeDockerArchive, writeOciArchive } from '../../../src/oci/archive.ts';
import { readArchive } from '../../../src/oci/archive-read.ts';
import { readLayout, writeLayout } from '../../../src/oci/layout.ts';
import { indexOf, manifestOf } from '../../../src/oci/manifest.ts';
import { mediaTypes } from '../../../src/oci/media-types.ts';
import type { FoundImage, Packed, PackedIndex } from '../../../src/oci/packed.ts';
import { pieces, platform, smallImage } from './images.ts';
import { type Item, item, read, seeded, tarOf } from './samples.ts';

let root = '';
let counter = 0;
const fresh = (): string => {
  const folder = join(root, String(counter++));
  mkdirSync(folder);
  return folder;
};

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tsbuild-oci-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

type Write<T> = (out: Writable, images: readonly T[]) => Promise<void>;

async function written<T extends Packed>(write: Write<T>, ...images: T[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  const out = new Writable({
    write(chunk: Buffer, _, done) {
      parts.push(Buffer.from(chunk));
      done();
    },
  });
  await write(out, images);
  return Buffer.concat(parts);
}

function readAll(archive: Buffer, step = 5000): Promise<readonly FoundImage[]> {
  return readArchive(pieces(archive, step), fresh(), platform);
}

function content(found: FoundImage): string[] {
  return found.layers.map((layer) => {
    const bytes = readFileSync(layer.path);
    expect(digestOf(bytes)).toBe(layer.descriptor.digest);
    expect(bytes.length).toBe(layer.descriptor.size);
    return layer.descriptor.digest;
  });
}

function changed(archive: Buffer, change: (one: Item) => Item | undefined): Buffer {
  const items = read(archive).map(change);
  return tarOf(items.filter((one) => one !== undefined));
}

const name = 'docker.io/library/small:1';

describe('archives', () => {
  it.each([
    ['OCI', writeOciArchive],
    ['docker', writeDockerArchive],
  ] as const)('of the %s kind give the image back', async (kind, write) => {
    const image = smallImage(fresh(), [name]);
    const archive = await written(write, image);
    expect(await written(write, smallImage(fresh(), [name]))).toEqual(archive);
    for (const bytes of [archive, gzipSync(archive)]) {
      const [found, ...others] = await readAll(bytes);
      expect(others).toEqual([]);
      expect(found!.names).toEqual([name]);
      expect(found!.config).toEqual(image.config);
      expect(content(found!)).toEqual(image.layers.map((layer) => layer.descriptor.digest));
      if (kind === 'OCI') expect(found!.manifest.bytes).toEqual(image.manifest.bytes);
    }
  });

  it('hold several images, what they share once', async () => {
    const images = [smallImage(fresh(), [name]), smallImage(fresh(), ['h.org/other:2'], 'other')];
    for (const write of [writeOciArchive, writeDockerArchive]) {
      const archive = await written(write, ...images);
      const found = await readAll(archive);
      expect(found.map((one) => one.names)).toEqual([[name], ['h.org/other:2']]);
      const names = read(archive).map((one) => one.entry.path);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it('name images in full for docker and podman, and by tag only', async () => {
    const digest = `h.org/x@${digestOf('')}`;
    const archive = await written(
      writeDockerArchive,
      smallImage(fresh(), [name, digest, `h.org/x:t@${digestOf('')}`]),
    );
    const manifest = read(archive).find((one) => one.entry.path === 'manifest.json')!;
    expect(JSON.parse(manifest.content.toString())[0].RepoTags).toEqual([name, 'h.org/x:t']);
  });

  it('fail, when written, on a layer that is not what it says', async () => {
    const image = smallImage(fresh(), [name]);
    const wrong = image.layers.map((layer, i) =>
      i === 2 ? { ...layer, content: () => pieces(Buffer.from('x')) } : layer,
    );
    await expect(written(writeOciArchive, { ...image, layers: wrong })).rejects.toMatchObject({
      code: 'digest-mismatch',
    });
  });

  it('are refused when a manifest announces another size', async () => {
    const image = smallImage(fresh(), [name]);
    const layers = image.layers.map((layer) => ({ ...layer.descriptor, size: layer.descriptor.size + 1 }));
    const manifest = manifestOf({ config: image.config, layers, format: 'oci' });
    const archive = await written(writeOciArchive, { ...image, manifest });
    await expect(readAll(archive)).rejects.toThrow('another size');
  });

  it('are refused when they were changed', async () => {
    const image = smallImage(fresh(), [name]);
    const config = hexOf(digestOf(image.config));
    const layer = hexOf(image.layers[1]!.descriptor.digest);
    const flip =
      (hex: string) =>
      (one: Item): Item => {
        if (!one.entry.path.includes(hex)) return one;
        const bytes = Buffer.from(one.content);
        bytes[bytes.length - 1]! ^= 1;
        return { ...one, content: bytes };
      };
    const without = (hex: string) => (one: Item) => (one.entry.path.includes(hex) ? undefined : one);
    const oci = await written(writeOciArchive, image);
    const docker = await written(writeDockerArchive, image);
    expect(await readAll(changed(oci, (one) => one))).toHaveLength(1);
    await expect(readAll(changed(oci, flip(config)))).rejects.toMatchObject({ code: 'digest-mismatch' });
    await expect(readAll(changed(oci, flip(layer)))).rejects.toMatchObject({ code: 'digest-mismatch' });
    await expect(readAll(changed(oci, without(layer)))).rejects.toMatchObject({ code: 'not-found' });
    await expect(readAll(changed(docker, flip(config)))).rejects.toMatchObject({ code: 'digest-mismatch' });
    const plain = hexOf(image.layers[0]!.descriptor.digest);
    await expect(readAll(changed(docker, flip(plain)))).rejects.toMatchObject({ code: 'digest-mismatch' });
    await expect(readAll(changed(docker, without(plain)))).rejects.toThrow('lacks a file');
    await expect(readAll(tarOf([item({ path: 'x' }, 'y')]))).rejects.toThrow('neither an OCI layout');
    await expect(readAll(oci.subarray(0, oci.length / 2))).rejects.toBeInstanceOf(BuildError);
  });

  it('may hold links for shared layers, but none that leads out of them', async () => {
    const image = smallImage(fresh(), [name]);
    const docker = await written(writeDockerArchive, image);
    const layer = `${hexOf(JSON.parse(image.config.toString()).rootfs.diff_ids[0])}.tar`;
    const linked = (link: string): Buffer => {
      const moved = changed(docker, (one) =>
        one.entry.path === layer ? { ...one, entry: { ...one.entry, path: 'a/layer.tar' } } : one,
      );
      return tarOf([...read(moved), item({ path: layer, type: 'symlink', link })]);
    };
    expect(content((await readAll(linked('a/layer.tar')))[0]!)).toHaveLength(3);
    expect(content((await readAll(linked('../b/../a/./layer.tar')))[0]!)).toHaveLength(3);
    for (const link of ['/etc/hostname', layer, '../../../etc/hostname']) {
      await expect(readAll(linked(link))).rejects.toThrow('lacks a file');
    }
  });

  it('meet any damage with a BuildError', async () => {
    const random = seeded(4);
    const image = smallImage(fresh(), [name]);
    let failed = 0;
    for (const write of [writeOciArchive, writeDockerArchive]) {
      const items = read(await written(write, image));
      for (let round = 0; round < 60; round++) {
        const target = random(items.length);
        const bad = items.map((one, i) => {
          if (i !== target || one.content.length === 0) return one;
          const bytes = Buffer.from(one.content);
          for (let n = 0; n < 3; n++) bytes[random(bytes.length)] = random(128);
          return { ...one, content: bytes };
        });
        const result = await readAll(tarOf(bad), 1 << 20).catch((error: unknown) => error);
        if (result instanceof Error) failed++;
        if (result instanceof Error && !(result instanceof BuildError)) throw result;
      }
    }
    expect(failed).toBeGreaterThan(60);
  });
});

describe('layouts', () => {
  it('keep several images; a name moves to the newest', async () => {
    const folder = join(fresh(), 'layout');
    const first = smallImage(fresh(), [name, 'h.org/b:1']);
    const second = smallImage(fresh(), ['h.org/b:1'], 'second');
    await writeLayout(folder, first);
    await writeLayout(folder, second);
    await writeLayout(folder, second);
    const found = await readLayout(folder, platform);
    expect(found.map((one) => [one.names, one.config])).toEqual([
      [[name], first.config],
      [['h.org/b:1'], second.config],
    ]);
    expect(content(found[1]!)).toHaveLength(3);
    expect(readFileSync(join(folder, 'oci-layout'), 'utf8')).toBe('{"imageLayoutVersion":"1.0.0"}');
    expect(readdirSync(join(folder, 'blobs/sha256')).filter((file) => !/^[0-9a-f]{64}$/.test(file))).toEqual(
      [],
    );
  });

  it('are refused when a blob was changed or is a link', async () => {
    const folder = join(fresh(), 'layout');
    const image = smallImage(fresh(), []);
    await writeLayout(folder, image);
    const path = join(folder, 'blobs/sha256', hexOf(image.layers[2]!.descriptor.digest));
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.alloc(bytes.length, 1));
    await expect(readLayout(folder, platform)).rejects.toMatchObject({ code: 'digest-mismatch' });
    writeFileSync(path, Buffer.concat([bytes, bytes]));
    await expect(readLayout(folder, platform)).rejects.toMatchObject({ code: 'digest-mismatch' });
    rmSync(path);
    symlinkSync('/etc/hostname', path);
    await expect(readLayout(folder, platform)).rejects.toMatchObject({ code: 'not-found' });
    await expect(readLayout(fresh(), platform)).rejects.toThrow('no OCI layout');
  });
});

describe('an index of several images', () => {
  const several = (names: readonly string[]): PackedIndex => {
    const arm64 = { os: 'linux', architecture: 'arm64' };
    const images = [platform, arm64].map((one) => {
      const image = smallImage(fresh(), [], one.architecture);
      const config = Buffer.from(image.config.toString().replace('amd64', one.architecture));
      const layers = image.layers.map(({ descriptor }) => descriptor);
      return { ...image, config, manifest: manifestOf({ config, layers, format: 'oci' }) };
    });
    const manifests = images.map(({ manifest }, i) => ({
      ...manifest.descriptor,
      platform: [platform, arm64][i]!,
    }));
    return { index: indexOf({ manifests, format: 'oci' }), images, names };
  };

  it('is written and read whole, or for one platform, from a layout and an archive', async () => {
    const folder = join(fresh(), 'layout');
    const packed = several([name, 'h.org/b:1']);
    await writeLayout(folder, packed);
    const archive = await written(writeOciArchive, packed);
    const configs = packed.images.map(({ config }) => config);
    for (const read of [
      (one?: Platform) => readLayout(folder, one),
      (one?: Platform) => readArchive(pieces(archive), fresh(), one),
    ]) {
      const all = await read();
      expect(all.map(({ names, config }) => [names, config])).toEqual(
        [name, 'h.org/b:1'].flatMap((one) => configs.map((config) => [[one], config])),
      );
      const arm = await read({ os: 'linux', architecture: 'arm64' });
      expect(arm.map(({ config }) => config)).toEqual([configs[1], configs[1]]);
    }
    const top = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { manifests: object[] };
    expect(top.manifests).toHaveLength(2);
    expect(top.manifests[0]).toMatchObject({ mediaType: mediaTypes.ociIndex });
  });

  it('gives the platforms that are all there where blobs of another are missing', async () => {
    const folder = join(fresh(), 'layout');
    const packed = several([name]);
    await writeLayout(folder, packed);
    rmSync(join(folder, 'blobs/sha256', hexOf(packed.images[1]!.manifest.descriptor.digest)));
    expect((await readLayout(folder)).map(({ config }) => config)).toEqual([packed.images[0]!.config]);
    await expect(readLayout(folder, { os: 'linux', architecture: 'arm64' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });
});
