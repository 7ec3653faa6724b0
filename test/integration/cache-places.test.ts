import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportCache } from '../../cache/remote/export.ts';
import { folderPlace } from '../../cache/remote/folder-place.ts';
import { type WorkflowCache, workflowService } from '../../cache/remote/gha.ts';
import { importCache } from '../../cache/remote/import.ts';
import { objectPlace } from '../../cache/remote/object-place.ts';
import type { CachePlace } from '../../cache/remote/place.ts';
import { registryPlace } from '../../cache/remote/registry-place.ts';
import { type Bucket, s3Service } from '../../cache/remote/s3.ts';
import { digestOf } from '../../src/core/digest.ts';
import type { Layer } from '../../src/core/types.ts';
import { manifestOf } from '../../src/oci/manifest.ts';
import { gather } from '../../src/oci/packed.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { connect, type Registry } from '../../src/registry/registry.ts';
import { type FakeLayers, fakeLayers, noise } from '../support/fake-layers.ts';
import { hasRegistryServer, type RegistryServer, startRegistryServer } from '../support/registry-server.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { startWorkflowCache, type WorkflowCacheServer } from '../support/workflow-cache.ts';

/** A kind of place: every one does the same. */
interface Kind {
  readonly name: string;
  readonly isSkipped?: boolean;
  /** The place of a cache of this name. */
  open(cache: string): CachePlace;
}

const folder = mkdtempSync(join(tmpdir(), 'places-'));
let registry: Registry;
let server: RegistryServer;
const hasRegistry = hasRegistryServer();

let s3: S3Server;
let workflow: WorkflowCacheServer;

beforeAll(async () => {
  s3 = await startS3Server(join(folder, 's3'));
  workflow = await startWorkflowCache();
  if (hasRegistry) server = await startRegistryServer();
  const options = { tlsVerify: true, retries: 0, retryDelayMs: 1 };
  registry = connect(options, { env: {}, place: { home: folder, runtimeDir: undefined } });
});
afterAll(async () => {
  await registry?.close();
  await server?.stop();
  await s3?.stop();
  await workflow?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const kinds: readonly Kind[] = [
  {
    name: 'registry',
    isSkipped: !hasRegistry,
    open: (cache) =>
      registryPlace(parseReference(`${server.host}/caches:${cache}`), (names) => registry.openFor(names)),
  },
  { name: 'local', open: (cache) => folderPlace({ folder: join(folder, 'local'), tag: cache }) },
  { name: 's3', open: (cache) => objectPlace(s3Service(bucketHere(), s3.keys, registry), cache) },
  { name: 'gha', open: (cache) => objectPlace(workflowService(workflowHere(), registry), cache) },
];

function bucketHere(): Bucket {
  const { origin: endpoint, bucket } = s3;
  return { bucket, region: 'us-east-1', prefix: 'a b/c+(d)/', endpoint, pathStyle: true };
}

function workflowHere(): WorkflowCache {
  return { url: workflow.origin, token: workflow.token, scope: 'main' };
}

const created = '2026-01-02T03:04:05Z';
const signal = new AbortController().signal;
const platforms = [{ os: 'linux', architecture: 'amd64' }];

function contentOf(...layers: readonly Layer[]) {
  const steps = layers.map((layer, i) => ({ key: digestOf(`key ${i}`), result: { layer, created } }));
  return { steps, mounts: new Map<string, Layer>() };
}

async function give(place: CachePlace, fake: FakeLayers, ...layers: readonly Layer[]): Promise<string[]> {
  await using here = place;
  const told: string[] = [];
  await exportCache(contentOf(...layers), layers, here, {
    layers: fake.layers,
    compression: 'any',
    signal,
    progress: (_, __, state) => {
      if (state !== 'running') told.push(state);
    },
  });
  return told;
}

describe.each(kinds.filter(({ isSkipped }) => !isSkipped))('a cache in a place: $name', ({ name, open }) => {
  let fake: FakeLayers;
  beforeAll(() => {
    fake = fakeLayers(join(folder, `${name}-layers`));
  });

  it('is not there before it was put', async () => {
    await using place = open('none');
    expect(await importCache(place, { platforms })).toBeUndefined();
  });

  it('is read as it was put, its blobs too', async () => {
    const layers = [fake.layer('a', noise(100_000, 'a')), fake.layer('b', Buffer.from('b'))];
    expect(await give(open('one'), fake, ...layers)).toEqual(['done', 'done', 'done']);
    await using place = open('one');
    const content = await importCache(place, { platforms });
    expect(content?.malformed).toBe(0);
    const found = content!.steps.map(({ result }) => result.layer);
    expect(found.map(({ diffId }) => diffId).sort()).toEqual(layers.map(({ diffId }) => diffId).sort());
    for (const { descriptor, origins } of found) {
      const bytes = await gather(await place.fetch(origins!, descriptor!), 1_000_000);
      expect(digestOf(bytes)).toBe(descriptor!.digest);
    }
  });

  it('sends nothing twice, and asks for no bytes of what is there', async () => {
    const layer = fake.layer('twice', noise(1000, 'twice'));
    await give(open('twice'), fake, layer);
    const before = fake.packed.length;
    expect(await give(open('twice'), fake, layer)).toEqual(['exists', 'exists']);
    expect(fake.packed).toHaveLength(before);
  });

  it('holds what was put last, and leaves other caches alone', async () => {
    const [first, second] = [fake.layer('1', noise(500, '1')), fake.layer('2', noise(500, '2'))];
    await give(open('beside'), fake, first);
    await give(open('again'), fake, first);
    await give(open('again'), fake, second);
    const diffIds = async (cache: string) => {
      await using place = open(cache);
      const content = await importCache(place, { platforms });
      for (const { result } of content!.steps)
        await gather(await place.fetch(result.layer.origins!, result.layer.descriptor!), 10_000);
      return content!.steps.map(({ result }) => result.layer.diffId);
    };
    expect(await diffIds('again')).toEqual([second.diffId]);
    expect(await diffIds('beside')).toEqual([first.diffId]);
  });

  it('passes over steps that are too old', async () => {
    await give(open('old'), fake, fake.layer('old', Buffer.from('old')));
    const count = async (maxAgeMs?: number) => {
      await using place = open('old');
      return (await importCache(place, { platforms, maxAgeMs }))!.steps.length;
    };
    expect([await count(), await count(1)]).toEqual([1, 0]);
  });

  it('says so where something else is kept there', async () => {
    const { config } = fake.image([]);
    await using place = open('image');
    const manifest = manifestOf({ config, layers: [], format: 'oci' });
    const source = {
      descriptor: { ...manifest.descriptor, digest: digestOf(config), size: config.length },
      content: config,
    };
    await place.put({ descriptor: source.descriptor, origins: [], open: async () => source });
    await place.commit(manifest);
    await expect(importCache(place, { platforms })).rejects.toMatchObject({ code: 'image' });
  });

  it('is told of a cache of BuildKit what it is', async () => {
    const config = Buffer.from('{}');
    const configType = 'application/vnd.buildkit.cacheconfig.v0';
    await using place = open('buildkit');
    const manifest = manifestOf({ config, configType, layers: [], format: 'oci' });
    const descriptor = { mediaType: configType, digest: digestOf(config), size: config.length };
    await place.put({ descriptor, origins: [], open: async () => ({ descriptor, content: config }) });
    await place.commit(manifest);
    await expect(importCache(place, { platforms })).rejects.toThrow('BuildKit');
  });
});

describe('a cache in a folder', () => {
  it('loses the blobs that nothing needs any more, and what a broken write left', async () => {
    const fake = fakeLayers(join(folder, 'swept-layers'));
    const at = { folder: join(folder, 'swept'), tag: 'x' };
    const blobs = join(at.folder, 'blobs/sha256');
    const [first, second] = [fake.layer('1', noise(500, '1')), fake.layer('2', noise(500, '2'))];
    await give(folderPlace({ ...at, tag: 'kept' }), fake, first);
    await give(folderPlace(at), fake, first, second);
    writeFileSync(join(blobs, `${'0'.repeat(64)}.17.tmp`), '');
    writeFileSync(join(blobs, 'notes'), '');
    expect(readdirSync(blobs)).toHaveLength(8);
    await give(folderPlace(at), fake, first);
    expect(readdirSync(blobs)).toHaveLength(4);
  });

  it('is not written where it cannot be, and says where', async () => {
    const fake = fakeLayers(join(folder, 'file-layers'));
    writeFileSync(join(folder, 'file'), '');
    const failing = give(folderPlace({ folder: join(folder, 'file/cache'), tag: 'x' }), fake);
    await expect(failing).rejects.toMatchObject({
      code: 'output',
      message: expect.stringContaining('file/cache'),
    });
  });

  it.each(['blobs', 'blobs/sha256'])('is not written through a link: %s', async (name) => {
    const fake = fakeLayers(join(folder, 'linked-layers'));
    const at = mkdtempSync(join(folder, 'linked-'));
    const elsewhere = join(at, 'elsewhere');
    mkdirSync(join(elsewhere, 'sha256'), { recursive: true });
    const precious = join(elsewhere, '0'.repeat(64));
    writeFileSync(precious, '');
    mkdirSync(dirname(join(at, 'cache', name)), { recursive: true });
    symlinkSync(elsewhere, join(at, 'cache', name));
    const failing = give(folderPlace({ folder: join(at, 'cache'), tag: 'x' }), fake);
    await expect(failing).rejects.toMatchObject({ code: 'output' });
    expect(readdirSync(elsewhere, { recursive: true })).toHaveLength(2);
  });

  it('has what was cut short put there again, as files that others may read', async () => {
    const fake = fakeLayers(join(folder, 'short-layers'));
    const at = { folder: join(folder, 'short'), tag: 'x' };
    const layer = fake.layer('1', noise(500, '1'));
    await give(folderPlace(at), fake, layer);
    const { descriptor } = await fake.layers.packed(layer, 'gzip');
    const path = join(at.folder, 'blobs/sha256', descriptor.digest.slice(7));
    writeFileSync(path, 'x');
    expect(await give(folderPlace(at), fake, layer)).toEqual(['done', 'exists']);
    const { size, nlink, mode } = statSync(path);
    expect([size, nlink, mode & 0o044]).toEqual([descriptor.size, 1, 0o044]);
  });

  it('is no cache where a blob is not what its name says', async () => {
    const fake = fakeLayers(join(folder, 'damaged-layers'));
    const at = { folder: join(folder, 'damaged'), tag: 'x' };
    await give(folderPlace(at), fake);
    const blobs = join(at.folder, 'blobs/sha256');
    for (const blob of readdirSync(blobs)) writeFileSync(join(blobs, blob), '{}');
    const failing = importCache(folderPlace(at), { platforms });
    await expect(failing).rejects.toMatchObject({ code: 'digest-mismatch' });
  });

  it('waits for another export to end', async () => {
    const fake = fakeLayers(join(folder, 'locked-layers'));
    const at = { folder: join(folder, 'locked'), tag: 'x' };
    mkdirSync(at.folder);
    const holder = folderPlace(at);
    const bytes = Buffer.from('blob');
    const descriptor = { mediaType: 'text/plain', digest: digestOf(bytes), size: bytes.length };
    await holder.put({ descriptor, origins: [], open: async () => ({ descriptor, content: bytes }) });
    let ended = false;
    const waiting = give(folderPlace({ ...at, tag: 'y' }), fake).then(() => {
      ended = true;
    });
    await holder.commit(manifestOf({ config: bytes, configType: 'text/plain', layers: [], format: 'oci' }));
    expect(ended).toBe(false);
    await holder[Symbol.asyncDispose]();
    await waiting;
    expect(readdirSync(join(at.folder, 'blobs/sha256')).length).toBeGreaterThan(2);
  });
});

describe('a service for objects', () => {
  it('that does not know the keys is told of without them', async () => {
    const keys = { accessKeyId: s3.keys.accessKeyId, secretAccessKey: 'a secret of ours' };
    const failing = importCache(objectPlace(s3Service(bucketHere(), keys, registry), 'x'), { platforms });
    await expect(failing).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('SignatureDoesNotMatch'),
      hint: expect.stringContaining('AWS_SECRET_ACCESS_KEY'),
    });
    await expect(failing).rejects.not.toThrow('a secret of ours');
  });

  it('that does not know the token is told of without it', async () => {
    const place = objectPlace(workflowService({ ...workflowHere(), token: 'another token' }, registry), 'x');
    const failing = importCache(place, { platforms });
    await expect(failing).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('ACTIONS_RUNTIME_TOKEN'),
    });
  });

  it('takes no entry for one whose key only begins alike', async () => {
    const service = workflowService(workflowHere(), registry);
    const bytes = Buffer.from('bytes');
    async function* content(): AsyncGenerator<Buffer> {
      yield bytes;
    }
    await service.put('entry-long', { digest: digestOf(bytes), size: bytes.length, content });
    expect([await service.has('entry'), await service.get('entry')]).toEqual([false, undefined]);
    expect(await service.has('entry-long')).toBe(true);
  });

  it('keeps the roots of another scope apart', async () => {
    const fake = fakeLayers(join(folder, 'scope-layers'));
    const scoped = (scope: string) =>
      objectPlace(workflowService({ ...workflowHere(), scope }, registry), 'index');
    await give(scoped('one'), fake, fake.layer('s', Buffer.from('s')));
    expect(await importCache(scoped('one'), { platforms })).toBeDefined();
    expect(await importCache(scoped('on'), { platforms })).toBeUndefined();
  });
});
