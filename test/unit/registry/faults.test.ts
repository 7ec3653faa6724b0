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
import { type FakeRegistry, type Fault, startFakeRegistry } from '../../support/fake-registry.ts';
import { bodyOf } from '../../support/http-server.ts';

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

async function serve(fault?: Fault): Promise<FakeRegistry> {
  const server = await startFakeRegistry(fault);
  running.push(server);
  return server;
}

function person(creds?: string): Registry {
  const options = { tlsVerify: true, retries: 2, retryDelayMs: 1, ...(creds !== undefined && { creds }) };
  const registry = connect(options, { env: {}, place: { home: folder, runtimeDir: undefined } });
  open.push(registry);
  return registry;
}

function push(server: FakeRegistry, registry = person(), layers?: readonly Layer[]): Promise<Pushed> {
  const image = fake.image(layers ?? [fake.layer('file', noise(3_000_000))]);
  return registry.push(image, [parseReference(`${server.host}/a:x`)], { layers: fake.layers, format: 'oci' });
}

const isUpload = (url: string | undefined): boolean => url?.includes('/blobs/uploads/session') ?? false;

/** Puts a blob there and reads it as a layer. */
async function read(server: FakeRegistry, content: Buffer, size = content.length): Promise<Buffer> {
  const digest = digestOf(content);
  server.blobs.set(digest, content);
  const descriptor = { mediaType: 'application/octet-stream', digest, size };
  const chunks: Buffer[] = [];
  const origins = [{ host: server.host, repository: 'a' }];
  for await (const chunk of await person().fetch(origins, descriptor)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('an upload', () => {
  it('begins anew after a reset at some byte, in a session of its own', async () => {
    const server = await serve((request, response, nth) => {
      if (request.method !== 'PUT' || !isUpload(request.url) || nth !== 1) return false;
      let got = 0;
      request.on('data', (chunk: Buffer) => {
        got += chunk.length;
        if (got > 1_000_000) response.socket?.resetAndDestroy();
      });
      return new Promise<boolean>((resolve) => request.on('close', () => resolve(true)));
    });
    await push(server);
    expect(server.blobs.size).toBe(2);
    expect(server.requests().filter((line) => line === 'POST /v2/a/blobs/uploads/')).toHaveLength(3);
    expect(server.requests()).toContain('DELETE /v2/a/blobs/uploads/session');
  });

  it('is not repeated when the blob arrived and only the answer was lost', async () => {
    const server = await serve(async (request, response, nth) => {
      if (request.method !== 'PUT' || !isUpload(request.url) || nth !== 1) return false;
      const bytes = await bodyOf(request);
      server.blobs.set(digestOf(bytes), bytes);
      response.destroy();
      return true;
    });
    await push(server);
    expect(server.requests().filter((line) => line.startsWith('PUT') && isUpload(line))).toHaveLength(2);
  });

  it('gives up after its tries, in one sentence, without the page that the server sent', async () => {
    const server = await serve((request, response) => {
      if (request.method !== 'PUT') return false;
      request.resume();
      response.writeHead(502, { 'content-type': 'text/html' }).end('<html><h1>Bad gateway</h1></html>');
      return true;
    });
    await expect(push(server)).rejects.toThrow(/^pushing a blob to 127\.0\.0\.1:\d+\/a failed: status 502$/);
    expect(server.requests().filter((line) => line.startsWith('PUT'))).toHaveLength(3);
  });

  it('packs and sends a layer once that an image has twice', async () => {
    const server = await serve();
    const layer = fake.layer('file', noise(1000));
    await push(server, person(), [layer, layer]);
    expect(fake.packed).toHaveLength(1);
    expect(server.requests().filter((line) => isUpload(line))).toHaveLength(2);
  });
});

describe('a download', () => {
  const content = noise(3_000_000);

  it('is taken up where the connection was reset, with If-Range', async () => {
    const server = await serve((request, response, nth) => {
      if (!request.url?.includes('/blobs/') || nth > 2) return false;
      const start = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
      const headers = { 'content-length': content.length - start, etag: '"e"' };
      const range = { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` };
      response.writeHead(start > 0 ? 206 : 200, { ...headers, ...(start > 0 && range) });
      response.write(content.subarray(start, start + 1_200_000), () => response.socket?.resetAndDestroy());
      return true;
    });
    expect((await read(server, content)).equals(content)).toBe(true);
    const ranges = server.seen.filter(({ url }) => url.includes('/blobs/')).slice(1);
    expect(ranges).toHaveLength(2);
    expect(ranges.every(({ headers }) => /^bytes=\d+-$/.test(headers.range ?? ''))).toBe(true);
    expect(ranges.at(-1)?.headers['if-range']).toBe('"e"');
  });

  it('fails when the length is not what the manifest says', async () => {
    const server = await serve();
    await expect(read(server, content, content.length - 1)).rejects.toMatchObject({
      code: 'digest-mismatch',
    });
  });

  it('fails when more comes than the manifest says, also without a length', async () => {
    const server = await serve((request, response) => {
      if (!request.url?.includes('/blobs/')) return false;
      response.writeHead(200);
      response.write(content);
      response.end('more');
      return true;
    });
    await expect(read(server, content)).rejects.toThrow(/has more than 3000000 bytes/);
  });

  it('tries the next origin', async () => {
    const [empty, full] = [await serve(), await serve()];
    full.blobs.set(digestOf(content), content);
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
    expect(server.seen).toEqual([]);
  });
});

describe('resolving', () => {
  const reference = (server: FakeRegistry): ReturnType<typeof parseReference> =>
    parseReference(`${server.host}/a:x`);

  it('refuses a manifest of endless length, a page and an artifact', async () => {
    const bodies = [Buffer.alloc(5 << 20, ' '), Buffer.from('<html>'), Buffer.from(artifact())];
    const messages: string[] = [];
    for (const body of bodies) {
      const server = await serve((request, response) => {
        if (!request.url?.includes('/manifests/')) return false;
        response.end(body);
        return true;
      });
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
