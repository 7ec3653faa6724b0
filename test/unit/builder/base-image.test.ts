import { describe, expect, it } from 'vitest';
import { baseImages } from '../../../builder/base-image.ts';
import { BuildError } from '../../../src/core/errors.ts';
import type { BuildOptions } from '../../../src/core/options.ts';
import type { Store, StoredImage } from '../../../src/core/store.ts';
import type { Image, Platform } from '../../../src/core/types.ts';
import { nearest } from '../../../src/oci/platform.ts';
import { formatReference, parseReference, type Reference } from '../../../src/oci/reference.ts';

const on = (architecture: string): Platform => ({ os: 'linux', architecture });
const imageFor = (platform: Platform): Image => ({
  config: Buffer.from(JSON.stringify({ ...platform, rootfs: { type: 'layers', diff_ids: [] } })),
  layers: [],
  platform,
});

/** A store that has the image for some platforms, and a registry that has it for every one, or none. */
function world(stored: readonly string[], pull: BuildOptions['pull'], registry = true) {
  const images = stored.map((name) => ({ image: imageFor(on(name)) }) as StoredImage);
  const put: string[] = [];
  const asked: string[] = [];
  const store = {
    images: {
      find: async (_: string, wanted: Platform) => nearest(images, ({ image }) => image.platform, wanted),
      findAll: async () => images,
      putBeside: async (image: Image) => void put.push(image.platform.architecture),
    },
  } as unknown as Store;
  const image = baseImages(store, pull, {
    meaning: async (name) => parseReference(name),
    resolve: async (_, platform) => {
      asked.push(platform.architecture);
      if (!registry) throw new BuildError('network', 'nobody answers', { hint: 'Try later.' });
      return imageFor(platform);
    },
  });
  return { image: (architecture: string) => image('a', on(architecture)), put, asked };
}

describe('a base image with an alias', () => {
  /** A store with images of these names; `a` stands for `other.org/a`. */
  const aliased = (stored: readonly string[], pull: BuildOptions['pull'] = 'missing') => {
    const names = new Set(stored);
    const asked: string[] = [];
    const store = {
      images: {
        find: async (name: string) => (names.has(name) ? { image: imageFor(on('amd64')) } : undefined),
        findAll: async () => [],
        putBeside: async (_: Image, added: readonly string[]) =>
          added.forEach((name) => void names.add(name)),
      },
    } as unknown as Store;
    const source = {
      meaning: async (name: string) => parseReference(name === 'a' ? 'other.org/a' : name),
      resolve: async (reference: Reference, platform: Platform) => {
        asked.push(formatReference(reference));
        return imageFor(platform);
      },
    };
    const image = (name: string) => baseImages(store, pull, source)(name, on('amd64'));
    return { image, asked, names };
  };

  it('is asked for and kept under the name that is meant, and then found there', async () => {
    const { image, asked, names } = aliased([]);
    expect(await image('a')).toMatchObject({ local: false, name: 'other.org/a:latest' });
    expect(await image('a')).toMatchObject({ local: true });
    expect([asked, [...names]]).toEqual([['other.org/a:latest'], ['other.org/a:latest']]);
    await image('docker.io/library/a');
    expect(asked.at(-1)).toBe('docker.io/library/a:latest');
  });

  it('is one of our own where the store has it so, unless a registry is to be asked', async () => {
    expect(await aliased(['docker.io/library/a:latest']).image('a')).toMatchObject({ local: true });
    const { image, asked } = aliased(['docker.io/library/a:latest'], 'always');
    await image('a');
    expect(asked).toEqual(['other.org/a:latest']);
  });
});

describe('a base image', () => {
  it('is taken from the store for its platform, and fetched for another one once', async () => {
    const { image, put, asked } = world(['amd64'], 'missing');
    expect(await image('amd64')).toMatchObject({ local: true });
    for (let time = 0; time < 2; time++) {
      expect((await image('arm64')).snapshot.config.architecture).toBe('arm64');
    }
    expect([asked, put]).toEqual([['arm64'], ['arm64']]);
  });

  it('for older programs does not stand in for what a registry may have', async () => {
    const { image, asked } = world(['386'], 'missing');
    expect((await image('amd64')).snapshot.config.architecture).toBe('amd64');
    expect(asked).toEqual(['amd64']);
  });

  it('that is there for others only is refused with them', async () => {
    await expect(world(['amd64', '386'], 'never').image('arm64')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(
        'not in the local store for linux/arm64, only for linux/amd64, linux/386',
      ),
    });
    await expect(world(['amd64'], 'missing', false).image('arm64')).rejects.toMatchObject({
      code: 'network',
      hint: 'Try later. The store has it for linux/amd64: FROM --platform=linux/amd64 takes that.',
    });
  });
});
