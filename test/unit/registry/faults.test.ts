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
import { bodyOf, type HttpServer, startHttpServer } from '../../support/http-server.ts';

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

async function serveOther(handler: Parameters<typeof startHttpServer>[0]): Promise<HttpServer> {
  const server = await startHttpServer(handler);
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
  it('keeps the query of the Location and adds the digest', async () => {
    const server = await serve();
    await push(server);
    const put = server.seen.find(({ method }) => method === 'PUT');
    expect(put?.url).toMatch(
      /^\/v2\/a\/blobs\/uploads\/session\?_state=a%2Bb%3D&digest=sha256%3A[0-9a-f]{64}$/,
    );
    expect(server.blobs.size).toBe(2);
  });

  it.each([401, 503, 500, 429])('begins anew after %i in the middle, with the same bytes', async (status) => {
    const server = await serve(async (request, response, nth) => {
      if (request.method !== 'PUT' || !isUpload(request.url) || nth !== 1) return false;
      await bodyOf(request);
      const headers = status === 401 ? { 'www-authenticate': 'Basic realm="x"' } : {};
      response.writeHead(status, headers).end('<html>try later</html>');
      return true;
    });
    const pushed = await push(server, person('u:p'));
    expect(server.manifests.get('a:x')?.bytes.equals(pushed.bytes)).toBe(true);
    expect(server.blobs.size).toBe(2);
  });

  it.each([401, 503])('begins anew after %i that comes before the bytes were read', async (status) => {
    const server = await serve((request, response, nth) => {
      if (request.method !== 'PUT' || !isUpload(request.url) || nth !== 1) return false;
      const headers = {
        connection: 'close',
        ...(status === 401 && { 'www-authenticate': 'Basic realm="x"' }),
      };
      response.writeHead(status, headers).end();
      return true;
    });
    await push(server, person('u:p'), [fake.layer('file', noise(8_000_000))]);
    expect(server.blobs.size).toBe(2);
  });

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

  it('continues the session that a refused mount opened', async () => {
    const server = await serve();
    const layer = fake.layer('file', noise(1000));
    const { descriptor } = await fake.layers.packed(layer, 'gzip');
    await fake.layers.addOrigin(descriptor, { host: server.host, repository: 'b' });
    await push(server, person(), [layer]);
    const posts = server.seen.filter(({ method }) => method === 'POST').map(({ url }) => url);
    expect(posts).toHaveLength(2);
    expect(posts[0]).toBe(`/v2/a/blobs/uploads/?mount=${encodeURIComponent(descriptor.digest)}&from=b`);
    expect(server.blobs.has(descriptor.digest)).toBe(true);
  });

  it.each([401, 403, 404, 405, 500])('goes on without a mount that is answered %i', async (status) => {
    const server = await serve((request, response) => {
      if (!request.url?.includes('mount=')) return false;
      response.writeHead(status).end();
      return true;
    });
    const layer = fake.layer('file', noise(1000));
    const { descriptor } = await fake.layers.packed(layer, 'gzip');
    await fake.layers.addOrigin(descriptor, { host: server.host, repository: 'b' });
    await push(server, person(), [layer]);
    expect(server.blobs.has(descriptor.digest)).toBe(true);
  });

  it('goes on where looking for blobs is forbidden', async () => {
    const server = await serve((request, response) => {
      if (request.method !== 'HEAD') return false;
      response.writeHead(403).end();
      return true;
    });
    await push(server);
    expect(server.blobs.size).toBe(2);
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

  it('fails when the registry says that it stored another manifest', async () => {
    const server = await serve(async (request, response) => {
      if (request.method !== 'PUT' || !request.url?.includes('/manifests/')) return false;
      await bodyOf(request);
      response.writeHead(201, { 'docker-content-digest': digestOf('other') }).end();
      return true;
    });
    await expect(push(server)).rejects.toMatchObject({ code: 'digest-mismatch' });
  });

  it('sends no Authorization to another host that the Location names', async () => {
    const stored: Buffer[] = [];
    const other = await serveOther(async (request, response) => {
      stored.push(await bodyOf(request));
      response.writeHead(201).end();
    });
    const server = await serve((request, response) => {
      if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
        return true;
      }
      if (request.method !== 'POST') return false;
      response.writeHead(202, { location: `${other.origin}/put?signed=1` }).end();
      return true;
    });
    await push(server, person('u:s3cret'));
    expect(stored).toHaveLength(2);
    expect(other.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
    expect(other.seen[0]?.url).toMatch(/^\/put\?signed=1&digest=/);
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

  it('begins anew at a server without Range, and hands nothing out twice', async () => {
    const server = await serve((request, response, nth) => {
      if (!request.url?.includes('/blobs/')) return false;
      response.writeHead(200, { 'content-length': content.length });
      if (nth > 1) response.end(content);
      else response.write(content.subarray(0, 1_000_001), () => response.destroy());
      return true;
    });
    expect((await read(server, content)).equals(content)).toBe(true);
  });

  it('refuses another part than it asked for', async () => {
    const server = await serve((request, response, nth) => {
      if (!request.url?.includes('/blobs/')) return false;
      if (nth === 1) {
        response.writeHead(200, { 'content-length': content.length });
        response.write(content.subarray(0, 1000), () => response.destroy());
        return true;
      }
      response
        .writeHead(206, { 'content-range': `bytes 0-${content.length - 1}/${content.length}` })
        .end(content);
      return true;
    });
    await expect(read(server, content)).rejects.toThrow(/another part of a blob/);
  });

  it('is given up at a server that always stops', async () => {
    const server = await serve((request, response) => {
      if (!request.url?.includes('/blobs/')) return false;
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 100), () => response.destroy());
      return true;
    });
    await expect(read(server, content)).rejects.toMatchObject({ code: 'network' });
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

  it('follows a redirect to a store without taking the Authorization there', async () => {
    const store = await serveOther((_, response) => void response.end(content));
    const server = await serve((request, response) => {
      if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      } else response.writeHead(307, { location: `${store.origin}/o?signature=abc` }).end();
      return true;
    });
    const descriptor = { mediaType: 'x/y', digest: digestOf(content), size: content.length };
    const origin = { host: server.host, repository: 'a' };
    let size = 0;
    for await (const chunk of await person('u:p').fetch([origin], descriptor)) size += chunk.length;
    expect(size).toBe(content.length);
    expect(store.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    expect(server.seen.some(({ headers }) => headers.authorization?.startsWith('Basic '))).toBe(true);
  });
});

describe('resolving', () => {
  const reference = (server: FakeRegistry): ReturnType<typeof parseReference> =>
    parseReference(`${server.host}/a:x`);

  it('waits as a 429 says, by seconds or date', async () => {
    const server = await serve((request, response, nth) => {
      if (!request.url?.includes('/manifests/') || request.method !== 'GET' || nth > 2) return false;
      const after = nth === 1 ? '0' : new Date(Date.now() - 5000).toUTCString();
      response.writeHead(429, { 'retry-after': after }).end();
      return true;
    });
    await push(server);
    expect((await person().resolve(reference(server), amd64)).image.layers).toHaveLength(1);
  });

  it('refuses bytes that are not those of the digest asked for, or said', async () => {
    const server = await serve((request, response) => {
      if (!request.url?.includes('/manifests/') || request.method !== 'GET') return false;
      const headers = { 'docker-content-digest': digestOf('lie'), 'content-type': 'application/json' };
      response.writeHead(200, request.url.includes('sha256') ? {} : headers).end('{}');
      return true;
    });
    await expect(person().resolve(reference(server), amd64)).rejects.toMatchObject({
      code: 'digest-mismatch',
    });
    const byDigest = parseReference(`${server.host}/a@${digestOf('wanted')}`);
    await expect(person().resolve(byDigest, amd64)).rejects.toMatchObject({ code: 'digest-mismatch' });
  });

  it('refuses a configuration of other bytes', async () => {
    const server = await serve();
    await push(server);
    const { image } = await person().resolve(reference(server), amd64);
    server.blobs.set(digestOf(image.config), Buffer.alloc(image.config.length, ' '));
    await expect(person().resolve(reference(server), amd64)).rejects.toMatchObject({
      code: 'digest-mismatch',
    });
  });

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
