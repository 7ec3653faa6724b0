import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keepWithin } from '../../../cache/keep-within.ts';
import { lock, tryLock } from '../../../cache/lock.ts';
import { prune, usage } from '../../../cache/prune.ts';
import { openStore } from '../../../cache/store.ts';
import { digestOf, hexOf, keyOf } from '../../../src/core/digest.ts';
import type { Image, Layer } from '../../../src/core/types.ts';
import { skip } from '../../support/skips.ts';
import { bench, tarOf } from './open.ts';

const key = keyOf('a step');
const layerOf = (name: string): Layer => ({ diffId: digestOf(name), own: true });
const result = (name: string) => ({ layer: layerOf(name), created: '2026-01-01T00:00:00Z' });
const state = (file: string) => {
  const { dev, ino, size, mtimeMs, ctimeMs } = lstatSync(file);
  return { dev, ino, size, mtimeMs, ctimeMs };
};

describe('blobs', () => {
  it('are verified when written with a name and when read', async () => {
    await using b = await bench();
    const { blobs } = b.store;
    const digest = await blobs.write(Buffer.from('one'));
    expect(await blobs.read(digest)).toEqual(Buffer.from('one'));
    async function* chunks() {
      yield Buffer.from('tw');
      yield Buffer.from('o');
    }
    for (const expected of [
      { digest: digestOf('two'), size: 2 },
      { digest: digestOf('two'), size: 4 },
      { digest: digestOf('else'), size: 3 },
    ])
      await expect(blobs.writeStream(chunks(), expected)).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect(blobs.has(digestOf('two'))).toBe(false);
    expect(await blobs.writeStream(chunks())).toEqual({ digest: digestOf('two'), size: 3 });
    appendFileSync(blobs.find(digest)!, '!');
    await expect(blobs.read(digest)).rejects.toMatchObject({ code: 'digest-mismatch' });
    await expect(blobs.read(digest)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('records', () => {
  it('keep several results, the newest first', async () => {
    await using b = await bench();
    const { records } = b.store;
    expect(records.find(key)).toEqual([]);
    for (const name of ['a', 'b', 'a']) await records.put(key, result(name), { words: 'RUN x' });
    expect(records.find(key).map((one) => one.layer.diffId)).toEqual([digestOf('a'), digestOf('b')]);
    writeFileSync(b.store.home.path('records', `${hexOf(key)}.json`), '{"results":[{"la');
    expect(records.find(key)).toEqual([]);
    expect(b.warnings.join()).toContain('cannot be read');
  });

  it('let one build at a time make a step', async () => {
    await using b = await bench();
    const other = await b.reopen();
    const held = await b.store.records.lock(key);
    const second = other.records.lock(key);
    await expect(other.records.lock(key, AbortSignal.timeout(30))).rejects.toThrow();
    await held[Symbol.asyncDispose]();
    await (await second)[Symbol.asyncDispose]();
  });
});

describe('a lock', () => {
  it('ends with its owner, however that ends', async () => {
    await using b = await bench();
    const file = join(b.root, 'lock');
    const child = spawn('flock', ['-o', file, 'sh', '-c', 'echo got; exec cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    expect(tryLock(file, 'shared')).toBeUndefined();
    const waiting = lock(file, 'exclusive', AbortSignal.timeout(5000));
    child.kill('SIGKILL');
    (await waiting).release();
    expect(existsSync(file)).toBe(false);
    child.stdin.end();
  });
});

describe('images', () => {
  const image = (config: string): Image => ({
    config: Buffer.from(config),
    layers: [layerOf(config)],
    platform: { os: 'linux', architecture: 'amd64' },
    manifest: { bytes: Buffer.from(`m${config}`), mediaType: 'x' },
  });
  it('are found by name, id and start of an id', async () => {
    await using b = await bench();
    const { images } = b.store;
    const one = await images.put(image('{1}'), ['docker.io/library/a:1', 'docker.io/library/a@sha256:ff']);
    expect(one).toMatchObject({
      id: digestOf('{1}'),
      names: ['docker.io/library/a:1'],
      repoDigests: ['docker.io/library/a@sha256:ff'],
    });
    for (const name of ['docker.io/library/a:1', one.id, hexOf(one.id).slice(0, 12)]) {
      expect((await images.find(name))?.image).toEqual(image('{1}'));
    }
    expect(await images.find('docker.io/library/b:1')).toBeUndefined();
    await images.put(image('{2}'), ['docker.io/library/a:1', 'docker.io/library/b:1']);
    expect((await images.list()).map((stored) => stored.names)).toContainEqual([
      'docker.io/library/a:1',
      'docker.io/library/b:1',
    ]);
    expect(await images.removeName('docker.io/library/b:1')).toBe(true);
    expect(await images.removeName('docker.io/library/b:1')).toBe(false);
    expect(await images.removeName('docker.io/library/a:1')).toBe(true);
    expect(await images.find(digestOf('{2}'))).toBeUndefined();
    expect(await images.removeImage(one.id)).toEqual(['docker.io/library/a@sha256:ff']);
    expect(await images.list()).toEqual([]);
  });

  const on = (architecture: string, note = ''): Image => ({
    ...image(`{"${architecture}${note}"}`),
    platform: { os: 'linux', architecture },
  });
  const architectures = async (b: Awaited<ReturnType<typeof bench>>, name: string): Promise<string[]> =>
    (await b.store.images.findAll(name)).map((one) => one.image.platform.architecture);

  it('of several platforms have one name, by which each is found', async () => {
    await using b = await bench();
    const { images } = b.store;
    await images.putAll([on('s390x'), on('amd64')], ['n:1', 'n:2']);
    const own = await images.find('n:1');
    expect(own?.image.platform.architecture).toBe(process.arch === 'x64' ? 'amd64' : 's390x');
    expect((await images.find('n:1', on('s390x').platform))?.image).toEqual(on('s390x'));
    expect(await images.find('n:1', on('riscv64').platform)).toBeUndefined();
    expect((await images.find('n:1', on('amd64').platform))?.names).toEqual(['n:1', 'n:2']);
    expect(await architectures(b, 'n:2')).toEqual(['s390x', 'amd64']);
  });

  it('take the place of the one for their platform, and leave the others', async () => {
    await using b = await bench();
    const { images } = b.store;
    await images.put(on('amd64'), ['n:1']);
    await images.putBeside(on('arm64'), ['n:1']);
    await images.putBeside(on('amd64', '2'), ['n:1']);
    expect((await architectures(b, 'n:1')).sort()).toEqual(['amd64', 'arm64']);
    expect((await images.find('n:1', on('amd64').platform))?.image).toEqual(on('amd64', '2'));
    await images.put(on('amd64'), ['n:1']);
    expect(await architectures(b, 'n:1')).toEqual(['amd64']);
  });

  it('go with their last name, and take only themselves out of one that stands for others too', async () => {
    await using b = await bench();
    const { images } = b.store;
    const [arm] = await images.putAll([on('arm64'), on('amd64')], ['n:1']);
    await images.put(on('amd64'), ['m:1']);
    expect(await images.removeImage(arm!.id)).toEqual(['n:1']);
    expect(await architectures(b, 'n:1')).toEqual(['amd64']);
    await images.putAll([on('arm64'), on('amd64')], ['n:1']);
    expect(await images.removeName('n:1')).toBe(true);
    expect((await images.list()).map(({ names }) => names)).toEqual([['m:1']]);
  });
});

describe('cache mounts', () => {
  it('are shared, locked or private', async () => {
    await using b = await bench();
    const other = await b.reopen();
    const seed = join(b.root, 'seed');
    mkdirSync(seed);
    writeFileSync(join(seed, 'file'), 'x');
    const options = { mode: 0o750, uid: process.getuid!(), gid: process.getgid!(), seed };
    const first = await b.store.mounts.hold('/c', { ...options, sharing: 'shared' });
    expect(readFileSync(join(first.path, 'file'), 'utf8')).toBe('x');
    expect(lstatSync(first.path).mode & 0o7777).toBe(0o750);
    expect((await other.mounts.hold('/c', { ...options, sharing: 'shared' })).path).toBe(first.path);
    expect((await other.mounts.hold('/c', { ...options, sharing: 'private' })).path).not.toBe(first.path);
    await expect(
      other.mounts.hold('/c', { ...options, sharing: 'locked' }, AbortSignal.timeout(30)),
    ).rejects.toThrow();
  });
});

describe('cache mounts made afresh', () => {
  const options = { mode: 0o755, uid: process.getuid!(), gid: process.getgid!(), sharing: 'locked' } as const;

  it('are emptied when a process first holds them, and keep what it puts there', async () => {
    await using b = await bench();
    await using first = await b.store.mounts.hold('/c', options);
    writeFileSync(join(first.path, 'old'), 'x');
    await first[Symbol.asyncDispose]();
    const other = await b.reopen();
    await using second = await other.mounts.hold('/c', { ...options, fresh: true });
    expect(readdirSync(second.path)).toEqual([]);
    writeFileSync(join(second.path, 'new'), 'x');
    await second[Symbol.asyncDispose]();
    await using third = await other.mounts.hold('/c', { ...options, fresh: true });
    expect(readdirSync(third.path)).toEqual(['new']);
  });

  it('leave alone what another build is using', async () => {
    await using b = await bench();
    await using first = await b.store.mounts.hold('/c', { ...options, sharing: 'shared' });
    writeFileSync(join(first.path, 'old'), 'x');
    const other = await b.reopen();
    await using second = await other.mounts.hold('/c', { ...options, sharing: 'shared', fresh: true });
    expect(readdirSync(second.path)).toEqual(['old']);
  });
});

describe('file digests', () => {
  it('are remembered for exactly the same state, but not of files just changed', async () => {
    await using b = await bench();
    const file = join(b.root, 'file');
    writeFileSync(file, 'x');
    const fresh = b.store.statCache('/context');
    fresh.remember('file', state(file), digestOf('x'));
    expect(fresh.digest('file', state(file))).toBeUndefined();
    const old = { ...state(file), ctimeMs: 1000.25 };
    fresh.remember('odd \udcff', old, digestOf('x'));
    fresh.remember('dropped', old, digestOf('y'));
    await fresh.save();
    const next = b.store.statCache('/context');
    expect(next.digest('odd \udcff', old)).toBe(digestOf('x'));
    for (const change of [{ size: 9 }, { ino: 9 }, { dev: 9 }, { mtimeMs: 9 }, { ctimeMs: 9 }])
      expect(next.digest('dropped', { ...old, ...change })).toBeUndefined();
    await next.save();
    expect(b.store.statCache('/context').digest('dropped', old)).toBeUndefined();
    expect(b.store.statCache('/other').digest('odd \udcff', old)).toBeUndefined();
  });
});

describe('the store', () => {
  it('has one owner', async () => {
    if (process.getuid?.() !== 0) return console.warn('skipped: giving a folder away needs root');
    await using b = await bench();
    const root = join(b.root, 'foreign');
    mkdirSync(root);
    chownSync(root, 12_345, 0);
    const opening = openStore(root, { mapping: 'root', fetch: () => Promise.reject(new Error()) });
    await expect(opening).rejects.toMatchObject({
      code: 'store',
      message: expect.stringMatching(/uid 12345, not to you$/),
    });
  });

  it('may stand behind a link, and is made with the folders above it', async () => {
    await using b = await bench();
    symlinkSync('elsewhere', join(b.root, 'link'));
    mkdirSync(join(b.root, 'elsewhere'));
    const options = { mapping: 'root', fetch: () => Promise.reject(new Error()) };
    await using store = await openStore(join(b.root, 'link/deep/store'), options);
    await store.blobs.write(Buffer.from('x'));
    expect(readdirSync(join(b.root, 'elsewhere/deep/store'))).toContain('blobs');
    await using _linked = await openStore(join(b.root, 'link'), options);
  });

  it.each(['/dev/null/x', '/proc/x/y'])('cannot be %s, and says so', async (root) => {
    const opening = openStore(root, { mapping: 'root', fetch: () => Promise.reject(new Error()) });
    await expect(opening).rejects.toMatchObject({ code: 'store', hint: expect.stringContaining('--root') });
  });

  it('removes the temporary folders of processes that are gone, and no others', async () => {
    await using b = await bench();
    const other = await b.reopen();
    const kept = await other.scratch();
    const orphan = join(b.root, 'store/tmp/0123456789abcdef');
    mkdirSync(join(orphan, 'deep'), { recursive: true });
    writeFileSync(join(orphan, 'lock'), '');
    await b.store[Symbol.asyncDispose]();
    expect(existsSync(orphan)).toBe(false);
    expect(existsSync(kept.path)).toBe(true);
    await other[Symbol.asyncDispose]();
  });
});

describe.skipIf(skip('prune: its files belong to others', { root: true }))('prune', () => {
  async function withLayers() {
    const b = await bench();
    const tars = ['base', 'cached', 'loose'].map((path) =>
      tarOf([{ path, type: 'file', content: path.repeat(1000) }]),
    );
    const [base, cached, loose] = tars.map((tar) => b.offer(tar)) as [Layer, Layer, Layer];
    for (const layer of [base, cached, loose]) await b.store.layers.tree(layer);
    await b.store.records.put(key, { layer: cached, created: 'x' }, { below: [base.diffId] });
    await b.store.images.put(
      { config: Buffer.from('{}'), layers: [base], platform: { os: 'linux', architecture: 'amd64' } },
      ['n:1'],
    );
    await b.store[Symbol.asyncDispose]();
    age(join(b.root, 'store'));
    return { b, base, cached, loose };
  }
  const age = (folder: string): void => {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!name.includes('/v1-root/') || name.endsWith('.json')) utimesSync(join(folder, name), 1000, 1000);
    }
  };

  it('takes what nothing names, with all what caches name, with everything the images', async () => {
    const { b, base, cached, loose } = await withLayers();
    await using _ = b;
    const has = (layer: Layer): boolean => b.store.blobs.has(layer.descriptor!.digest);
    expect(usage(b.store).find((one) => one.kind === 'trees')).toMatchObject({ count: 3, lastUsed: 1000 });
    expect(prune(b.store).count).toBeGreaterThan(0);
    expect([base, cached, loose].map(has)).toEqual([true, true, false]);
    prune(b.store, { all: true });
    expect([base, cached].map(has)).toEqual([true, false]);
    expect(b.store.records.find(key)).toEqual([]);
    expect(await b.store.layers.tree(base)).toBeTruthy();
    await b.store[Symbol.asyncDispose]();
    age(join(b.root, 'store'));
    prune(b.store, { everything: true });
    expect(usage(b.store).filter((one) => one.count > 0)).toEqual([]);
    expect(await b.store.images.list()).toEqual([]);
  });

  it('spares what a running build uses', async () => {
    const { b, loose } = await withLayers();
    await using _ = b;
    const other = await b.reopen();
    const tree = await other.layers.tree(loose);
    prune(b.store, { everything: true });
    expect(readdirSync(tree)).toEqual(['loose']);
    await other[Symbol.asyncDispose]();
  });

  it('forgets images that have lost their name, and frees what only they needed', async () => {
    const { b, base } = await withLayers();
    await using _ = b;
    const platform = { os: 'linux', architecture: 'amd64' };
    await b.store.images.put({ config: Buffer.from('{"a":1}'), layers: [], platform }, ['n:1']);
    expect(await b.store.images.list()).toHaveLength(2);
    await b.store[Symbol.asyncDispose]();
    age(join(b.root, 'store'));
    prune(b.store, { all: true });
    expect((await b.store.images.list()).map(({ names }) => names)).toEqual([['n:1']]);
    expect(b.store.blobs.has(base.descriptor!.digest)).toBe(false);
  });

  it('keeps every image that a name stands for', async () => {
    const { b } = await withLayers();
    await using _ = b;
    const images = ['amd64', 's390x'].map((architecture) => ({
      config: Buffer.from(`{"${architecture}":1}`),
      layers: [],
      platform: { os: 'linux', architecture },
    }));
    await b.store.images.putAll(images, ['n:1']);
    await b.store[Symbol.asyncDispose]();
    age(join(b.root, 'store'));
    prune(b.store, { all: true });
    expect(await b.store.images.list()).toHaveLength(2);
    expect((await b.store.images.findAll('n:1')).map(({ image }) => image)).toEqual(images);
  });

  it('goes from leaves to roots until the bound is kept', async () => {
    const { b, base, cached } = await withLayers();
    await using _ = b;
    await b.store.images.removeName('n:1');
    const size = usage(b.store).reduce((sum, one) => sum + one.bytes, 0);
    expect(keepWithin(b.store, size * 2)).toEqual({ count: 0, bytes: 0, beyond: 0 });
    b.store.home.written = size * 10;
    keepWithin(b.store, 12_000);
    expect(existsSync(join(b.store.home.trees, hexOf(base.diffId)))).toBe(true);
    expect(existsSync(join(b.store.home.trees, hexOf(cached.diffId)))).toBe(false);
  });
});
