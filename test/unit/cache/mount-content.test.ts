import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bench, tarOf } from './open.ts';

const mine = { uid: process.getuid!(), gid: process.getgid!() };
const options = { ...mine, mode: 0o750, sharing: 'locked' } as const;

describe('what a cache mount holds', () => {
  it('is packed as a layer and fills a mount of another store', async () => {
    await using here = await bench();
    await using there = await bench();
    const held = await here.store.mounts.hold('npm', options);
    mkdirSync(join(held.path, 'sub'), { mode: 0o700 });
    writeFileSync(join(held.path, 'sub/file'), 'text');
    symlinkSync('../../../etc/passwd', join(held.path, 'link'));
    await held[Symbol.asyncDispose]();
    expect(here.store.mounts.list().map(({ id }) => id)).toEqual(['npm']);
    const layer = await here.store.mounts.pack('npm');
    const paths = (await here.store.layers.listing(layer!)).map(({ path }) => path);
    expect(paths).toEqual(['', 'link', 'sub', 'sub/file']);

    const { blobs, mounts } = there.store;
    await blobs.writeStream(here.store.layers.tar(layer!));
    const seed = await mounts.seedOf({ diffId: layer!.diffId, own: true });
    expect(mounts.has('npm')).toBe(false);
    await using filled = await mounts.hold('npm', { ...options, seed });
    expect(mounts.has('npm')).toBe(true);
    expect(readFileSync(join(filled.path, 'sub/file'), 'utf8')).toBe('text');
    expect(readlinkSync(join(filled.path, 'link'))).toBe('../../../etc/passwd');
    expect(lstatSync(join(filled.path, 'sub')).mode & 0o777).toBe(0o700);
  });

  it('is the same bytes as long as it is the same', async () => {
    await using b = await bench();
    const held = await b.store.mounts.hold('npm', options);
    writeFileSync(join(held.path, 'file'), 'text');
    await held[Symbol.asyncDispose]();
    const diffIds = [await b.store.mounts.pack('npm'), await b.store.mounts.pack('npm')].map(
      (one) => one?.diffId,
    );
    expect(diffIds[0]).toBe(diffIds[1]);
  });

  it('is nothing where there is no such mount', async () => {
    await using b = await bench();
    expect(await b.store.mounts.pack('none')).toBeUndefined();
    expect(b.store.mounts.list()).toEqual([]);
  });

  it('gives way to what the mount is filled with, once no step uses it', async () => {
    await using b = await bench();
    const { mounts } = b.store;
    const held = await mounts.hold('npm', options);
    writeFileSync(join(held.path, 'old'), '');
    const seed = join(b.root, 'seed');
    mkdirSync(seed);
    writeFileSync(join(seed, 'new'), '');
    const from = { ...mine, mode: 0o755, seed };
    await expect(mounts.fill('npm', from, AbortSignal.timeout(30))).rejects.toThrow();
    await held[Symbol.asyncDispose]();
    await mounts.fill('npm', from);
    await using again = await mounts.hold('npm', options);
    expect(readdirSync(again.path)).toEqual(['new']);
  });

  it.each([
    ['a device', { path: 'zero', type: 'char', device: { major: 1, minor: 5 } }],
    ['a pipe', { path: 'pipe', type: 'fifo' }],
    ['a deletion', { path: 'file', type: 'whiteout' }],
  ] as const)('is never filled with %s', async (_, entry) => {
    await using b = await bench();
    const layer = b.offer(tarOf([entry]));
    await expect(b.store.mounts.seedOf(layer)).rejects.toMatchObject({ code: 'layer' });
  });
});
