import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import type { Layer } from '../../../src/core/types.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import type { Transfer } from '../../../src/registry/push.ts';
import type { Pushed } from '../../../src/registry/put-manifest.ts';
import { connect, type Registry } from '../../../src/registry/registry.ts';
import { type FakeLayers, fakeLayers, noise } from '../../support/fake-layers.ts';
import { type HostileRegistry, startHostileRegistry } from '../../support/hostile-registry/registry.mjs';

// What a client does about faults, request by request; that it comes out right is seen in
// test/integration/hostile-registry.test.ts.

const folder = mkdtempSync(join(tmpdir(), 'registry-faults-'));
const amd64 = { os: 'linux', architecture: 'amd64' };
const running: { stop(): Promise<void> }[] = [];
const open: Registry[] = [];
let fake: FakeLayers;

beforeEach(() => {
  fake = fakeLayers(mkdtempSync(join(folder, 'blobs-')));
});
afterEach(async () => {
  for (const registry of open.splice(0)) await registry.close();
  for (const server of running.splice(0)) await server.stop();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function serve(switches = {}): Promise<HostileRegistry> {
  const server = await startHostileRegistry(switches);
  running.push(server);
  return server;
}

function person(told: string[] = []): Registry {
  const options = { tlsVerify: true, retries: 2, retryDelayMs: 1 };
  const place = { home: folder, runtimeDir: undefined };
  const registry = connect(options, { env: {}, place, say: (text) => told.push(text) });
  open.push(registry);
  return registry;
}

function push(server: HostileRegistry, registry = person(), layers?: readonly Layer[]): Promise<Pushed> {
  const image = fake.image(layers ?? [fake.layer('file', noise(3_000_000))]);
  return registry.push(image, [parseReference(`${server.host}/a:x`)], { layers: fake.layers, format: 'oci' });
}

/** Puts a blob there and reads it as a layer. */
async function read(server: HostileRegistry, content: Buffer, size = content.length): Promise<Buffer> {
  const digest = digestOf(content);
  server.state.addBlob('a', content);
  const descriptor = { mediaType: 'application/octet-stream', digest, size };
  const chunks: Buffer[] = [];
  const origins = [{ host: server.host, repository: 'a' }];
  for await (const chunk of await person().fetch(origins, descriptor)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function asked(
  server: HostileRegistry,
  method: string,
  path = '',
): HostileRegistry['hosts']['registry']['seen'] {
  return server.hosts.registry.seen.filter((one) => one.method === method && one.path.includes(path));
}

describe('an upload', () => {
  it('begins anew after a reset at some byte, in a session of its own', async () => {
    const fault = { at: 'upload-put', data: true, resetRequestAfter: 1_000_000 };
    const server = await serve({ quirks: { broken: 'dropped' }, faults: [fault] });
    await push(server);
    expect(server.state.blobs.size).toBe(2);
    expect(asked(server, 'POST')).toHaveLength(3);
    expect(asked(server, 'DELETE', '/uploads/')).toHaveLength(1);
  });

  it('is not repeated when the blob arrived and only the answer was lost', async () => {
    const server = await serve({ faults: [{ at: 'upload-put', resetAfter: 0 }] });
    await push(server);
    expect(asked(server, 'PUT', '/uploads/')).toHaveLength(2);
  });

  it('gives up after its tries, in one sentence, without the page that the server sent', async () => {
    const page = { headers: { 'content-type': 'text/html' }, body: '<html><h1>Bad gateway</h1></html>' };
    const server = await serve({ faults: [{ at: 'upload-put', times: 'always', status: 502, ...page }] });
    const told: string[] = [];
    const said = /^pushing a blob to 127\.0\.0\.1:\d+\/a failed: status 502$/;
    await expect(push(server, person(told))).rejects.toThrow(said);
    expect(asked(server, 'PUT')).toHaveLength(3);
    expect(told).toHaveLength(2);
    expect(told[0]).toMatch(/^pushing a blob to .* failed: status 502: trying again in 1 s$/);
  });

  it('says for how long it was asked to wait, where that is too long', async () => {
    const fault = { at: 'upload-start', status: 429, headers: { 'retry-after': '3600' } };
    const server = await serve({ faults: [fault] });
    await expect(push(server)).rejects.toThrow(/status 429; it asks to wait 3600 s$/);
    expect(asked(server, 'POST')).toHaveLength(1);
  });

  it('packs and sends a layer once that an image has twice', async () => {
    const server = await serve();
    const layer = fake.layer('file', noise(1000));
    await push(server, person(), [layer, layer]);
    expect(fake.packed).toHaveLength(1);
    expect(asked(server, 'PUT', '/uploads/')).toHaveLength(2);
  });
});

describe('a download', () => {
  const content = noise(3_000_000);

  it('is taken up where the connection was reset, with If-Range', async () => {
    const server = await serve({ faults: [{ at: 'blob-get', times: 2, resetAfter: 1_200_000 }] });
    expect((await read(server, content)).equals(content)).toBe(true);
    const ranges = asked(server, 'GET', '/blobs/').slice(1);
    expect(ranges).toHaveLength(2);
    expect(ranges.every(({ headers }) => /^bytes=\d+-$/.test(headers.range ?? ''))).toBe(true);
    expect(ranges.at(-1)?.headers['if-range']).toBe(`"${digestOf(content)}"`);
  });

  it('fails when the length is not what the manifest says', async () => {
    const server = await serve();
    await expect(read(server, content, content.length - 1)).rejects.toMatchObject({
      code: 'digest-mismatch',
    });
  });

  it('fails when more comes than the manifest says, also without a length', async () => {
    const server = await serve({ faults: [{ at: 'blob-get', endless: true }] });
    await expect(read(server, content)).rejects.toThrow(/has more than 3000000 bytes/);
  });

  it('tries the next origin', async () => {
    const [empty, full] = [await serve(), await serve()];
    full.state.addBlob('a', content);
    const descriptor = { mediaType: 'x/y', digest: digestOf(content), size: content.length };
    const origins = [empty, full].map(({ host }) => ({ host, repository: 'a' }));
    let size = 0;
    for await (const chunk of await person().fetch(origins, descriptor)) size += chunk.length;
    expect(size).toBe(content.length);
    await expect(person().fetch(origins.slice(0, 1), descriptor)).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(person().fetch([], descriptor)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('needs no request for a blob of no bytes', async () => {
    const server = await serve();
    expect(await read(server, Buffer.alloc(0))).toHaveLength(0);
    expect(server.hosts.registry.seen).toEqual([]);
  });
});

describe('resolving', () => {
  const reference = (server: HostileRegistry): ReturnType<typeof parseReference> =>
    parseReference(`${server.host}/a:x`);

  it('refuses a manifest of endless length, a page and an artifact', async () => {
    const bodies = [Buffer.alloc(5 << 20, ' '), Buffer.from('<html>'), Buffer.from(artifact())];
    const messages: string[] = [];
    for (const body of bodies) {
      const server = await serve({ faults: [{ at: 'manifest-get', status: 200, body }] });
      const error = await person()
        .resolve(reference(server), amd64)
        .catch((caught: Error) => caught);
      messages.push(error instanceof Error ? error.message : 'no error');
    }
    expect(messages[0]).toMatch(/larger than/);
    expect(messages[1]).toMatch(/:x: .*not JSON/);
    expect(messages[2]).toMatch(/artifact of type/);
  });
});

function artifact(): string {
  const descriptor = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 };
  return JSON.stringify({ schemaVersion: 2, config: descriptor, layers: [descriptor] });
}

it('reports each transfer to its end', async () => {
  const server = await serve();
  const transfers: Transfer[] = [];
  const image = fake.image([fake.layer('file', noise(5_000_000))]);
  const progress = (transfer: Transfer): void => void transfers.push(transfer);
  await person().push(image, [parseReference(`${server.host}/a`)], {
    layers: fake.layers,
    format: 'oci',
    progress,
  });
  const running = transfers.filter(({ state }) => state === 'running');
  expect(running.length).toBeGreaterThan(2);
  expect(transfers.filter(({ state }) => state === 'done')).toHaveLength(2);
  expect(running.at(-1)?.done).toBe(running.at(-1)?.total);
});
