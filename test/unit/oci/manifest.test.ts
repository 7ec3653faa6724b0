import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../../../src/core/digest.ts';
import { BuildError } from '../../../src/core/errors.ts';
import type { Descriptor } from '../../../src/core/types.ts';
import {
  appendHistory,
  appendLayer,
  emptyConfig,
  encodeConfig,
  parseConfig,
} from '../../../src/oci/config.ts';
import { indexOf, manifestOf, maxManifestBytes, parseManifest } from '../../../src/oci/manifest.ts';
import { compressionOf, layerMediaType, mediaTypes, relabel } from '../../../src/oci/media-types.ts';
import { choosePlatform } from '../../../src/oci/platform.ts';

const config = Buffer.from('{}');
const layer: Descriptor = {
  mediaType: layerMediaType('docker', 'gzip'),
  digest: digestOf('layer'),
  size: 5,
  annotations: { b: '2', a: '1' },
};

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

describe('manifests', () => {
  it('are made the same each time and read back', () => {
    const made = manifestOf({ config, layers: [layer], format: 'oci', annotations: { z: '1', y: '2' } });
    expect(digestOf(made.bytes)).toBe(made.descriptor.digest);
    const parsed = parseManifest(made.bytes, `${made.mediaType}; charset=utf-8`);
    if (parsed.kind !== 'image') throw new Error('no image');
    expect(parsed.manifest.layers).toEqual([{ ...layer, mediaType: layerMediaType('oci', 'gzip') }]);
    expect(Object.keys(parsed.manifest.annotations!)).toEqual(['y', 'z']);
    const reordered = manifestOf({
      config,
      layers: [{ ...layer, annotations: { a: '1', b: '2' } }],
      format: 'oci',
      annotations: { y: '2', z: '1' },
    });
    expect(reordered.bytes).toEqual(made.bytes);
  });

  it('take the words of the docker format', () => {
    const oci = { ...layer, mediaType: layerMediaType('oci', 'gzip') };
    const made = manifestOf({ config, layers: [oci], format: 'docker', annotations: { a: 'b' } });
    expect(made.mediaType).toBe(mediaTypes.dockerManifest);
    expect(JSON.parse(made.bytes.toString())).toEqual({
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config: { mediaType: mediaTypes.dockerConfig, digest: digestOf(config), size: 2 },
      layers: [{ mediaType: layerMediaType('docker', 'gzip'), digest: layer.digest, size: 5 }],
    });
    const zstd = { ...layer, mediaType: layerMediaType('oci', 'zstd') };
    expect(() => manifestOf({ config, layers: [zstd], format: 'docker' })).toThrow('zstd');
    const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    expect(relabel(foreign, 'oci')).toBe(foreign);
    expect(compressionOf(foreign)).toBe('gzip');
    expect(compressionOf('toString')).toBeUndefined();
  });

  const good = {
    schemaVersion: 2,
    config: { mediaType: 'a/b', digest: digestOf(''), size: 0 },
    layers: [] as unknown[],
  };
  it.each([
    ['no JSON', Buffer.from('{')],
    ['a list', json([])],
    ['null', json(null)],
    ['no version', json({ ...good, schemaVersion: undefined })],
    ['both image and index', json({ ...good, manifests: [] })],
    ['neither', json({ schemaVersion: 2 })],
    ['an index by type, an image by content', json({ ...good, mediaType: mediaTypes.ociIndex })],
    ['a negative size', json({ ...good, config: { ...good.config, size: -1 } })],
    ['a fraction as size', json({ ...good, config: { ...good.config, size: 1.5 } })],
    [
      'a digest that leads elsewhere',
      json({ ...good, config: { ...good.config, digest: 'sha256:../../x' } }),
    ],
    ['layers that are no list', json({ ...good, layers: {} })],
    ['a layer that is null', json({ ...good, layers: [null] })],
    ['an annotation that is no text', json({ ...good, layers: [{ ...good.config, annotations: { a: 1 } }] })],
    ['too many bytes', Buffer.alloc(maxManifestBytes + 1, 0x20)],
  ])('with %s are refused', (_, bytes) => {
    expect(() => parseManifest(json(good))).not.toThrow();
    expect(() => parseManifest(bytes)).toThrow(BuildError);
  });

  it('must be what they came as, and not of schema 1', () => {
    const own = json({ ...good, mediaType: mediaTypes.ociManifest });
    expect(() => parseManifest(own, mediaTypes.dockerManifest)).toThrow('came as');
    expect(parseManifest(own, 'text/plain').kind).toBe('image');
    expect(parseManifest(own, mediaTypes.ociManifest).kind).toBe('image');
    expect(() => parseManifest(json({ schemaVersion: 1, fsLayers: [] }))).toThrow('schema 1');
  });
});

describe('platforms', () => {
  const of = (platform: string, digest: Digest = digestOf(platform)): Descriptor => {
    const [os = '', architecture = '', variant] = platform.split('/');
    return {
      mediaType: mediaTypes.ociManifest,
      digest,
      size: 1,
      platform: { os, architecture, ...(variant !== undefined && { variant }) },
    };
  };
  const choose = (wanted: string, ...offered: string[]): string => {
    const all = offered.map((one) => of(one));
    return offered[all.indexOf(choosePlatform(all, of(wanted).platform!))]!;
  };

  it.each([
    ['linux/amd64', 'linux/amd64', ['unknown/unknown', 'linux/arm64', 'linux/amd64']],
    ['linux/arm64', 'linux/arm64/v8', ['linux/arm/v7', 'linux/arm64/v8']],
    ['linux/arm64/v8', 'linux/arm64', ['linux/arm64', 'linux/amd64']],
    ['linux/aarch64', 'linux/arm64', ['linux/arm64']],
    ['linux/arm', 'linux/arm/v7', ['linux/arm/v5', 'linux/arm/v7', 'linux/arm/v6']],
    ['linux/arm/v6', 'linux/arm/v6', ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm/v7', 'linux/arm/v6', ['linux/arm/v5', 'linux/arm/v6']],
    ['linux/amd64/v3', 'linux/amd64/v2', ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4']],
    ['linux/amd64', 'linux/amd64', ['linux/amd64/v2', 'linux/amd64']],
    ['linux/arm64', 'linux/arm/v7', ['linux/arm/v5', 'linux/arm/v7', 'linux/amd64']],
    ['linux/arm64', 'linux/arm64', ['linux/arm/v8', 'linux/arm64']],
    ['linux/amd64', 'linux/386', ['linux/386', 'linux/arm64']],
    ['linux/amd64/v3', 'linux/amd64', ['linux/386', 'linux/amd64']],
  ])('%s takes %s', (wanted, expected, offered) => {
    expect(choose(wanted, ...offered)).toBe(expected);
  });

  it('that are missing are answered by those that are there', () => {
    try {
      choose('linux/s390x', 'linux/amd64', 'linux/arm/v7', 'unknown/unknown');
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'not-found', hint: 'It is there for linux/amd64, linux/arm/v7.' });
    }
    expect(() => choose('linux/arm/v6', 'linux/arm/v7')).toThrow(BuildError);
    expect(() => choose('windows/amd64', 'linux/amd64')).toThrow(BuildError);
  });
});

describe('configurations', () => {
  it('keep what is not known and have one order', () => {
    const text = {
      history: [{ created_by: 'x', odd: 1 }],
      rootfs: { diff_ids: [digestOf('a')], type: 'layers' },
      'os.version': '1',
      zebra: { a: null },
      aunt: 1,
      os: 'linux',
      architecture: 'amd64',
      config: { Odd: [1], Labels: { z: '1', a: '2' }, Cmd: null, Env: ['A=b'], User: 'u' },
    };
    const config = parseConfig(json(text));
    const encoded = encodeConfig(config).toString();
    expect(encoded).toBe(
      `{"architecture":"amd64","os":"linux","os.version":"1","config":{"User":"u","Env":["A=b"],"Labels":{"a":"2","z":"1"},"Odd":[1]},"aunt":1,"zebra":{"a":null},"rootfs":{"type":"layers","diff_ids":["${digestOf('a')}"]},"history":[{"created_by":"x","odd":1}]}`,
    );
    expect(encodeConfig(parseConfig(Buffer.from(encoded))).toString()).toBe(encoded);
  });

  it('grow by layers and lines of history', () => {
    const empty = emptyConfig({ os: 'linux', architecture: 'arm', variant: 'v7' });
    const one = appendHistory(appendLayer(empty, digestOf('l'), { created_by: 'COPY' }), {
      created_by: 'ENV',
    });
    expect(one.rootfs.diff_ids).toEqual([digestOf('l')]);
    expect(one.history).toEqual([{ created_by: 'COPY' }, { created_by: 'ENV', empty_layer: true }]);
    expect(empty.rootfs.diff_ids).toEqual([]);
    expect(parseConfig(encodeConfig(one))).toEqual(one);
  });

  const base = { architecture: 'a', os: 'b', rootfs: { type: 'layers', diff_ids: [] } };
  it.each([
    { ...base, os: 1 },
    { ...base, architecture: undefined },
    { ...base, rootfs: { type: 'other' } },
    { ...base, rootfs: { type: 'layers', diff_ids: ['sha256:x'] } },
    { ...base, history: [1] },
    { ...base, config: { Env: 'A=b' } },
    { ...base, config: { Labels: { a: 1 } } },
    { ...base, config: { Cmd: [1] } },
    { ...base, config: [] },
    [],
    null,
  ])('that are malformed are refused: %j', (value) => {
    expect(() => parseConfig(json(base))).not.toThrow();
    expect(() => parseConfig(json(value))).toThrow(BuildError);
  });
});

describe('an index', () => {
  const members = ['arm64', 'arm'].map((architecture) => ({
    mediaType: mediaTypes.ociManifest,
    digest: digestOf(architecture),
    size: 7,
    annotations: { own: architecture },
    platform: { os: 'linux', architecture, ...(architecture === 'arm' && { variant: 'v7' }) },
  }));

  it('is read as it was made', () => {
    const made = indexOf({ manifests: members, format: 'oci', annotations: { z: '1', a: '2' } });
    expect(made.mediaType).toBe(mediaTypes.ociIndex);
    expect(parseManifest(made.bytes, made.mediaType)).toEqual({ kind: 'index', manifests: members });
    expect(JSON.parse(made.bytes.toString())).toMatchObject({ annotations: { a: '2', z: '1' } });
    expect(made.descriptor).toEqual({
      mediaType: mediaTypes.ociIndex,
      digest: digestOf(made.bytes),
      size: made.bytes.length,
    });
  });

  it('is a list without annotations in docker’s format', () => {
    const made = indexOf({ manifests: members, format: 'docker', annotations: { a: '1' } });
    expect(made.mediaType).toBe(mediaTypes.dockerIndex);
    expect(made.bytes.toString()).not.toContain('annotations');
  });
});
