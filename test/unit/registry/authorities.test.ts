import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { connect } from '../../../src/registry/registry.ts';
import { makeCertificates } from '../../support/certificates.ts';
import { type Handler, type HttpServer, startHttpServer } from '../../support/http-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'authorities-'));
const certificates = makeCertificates(join(folder, 'pem'));
const running: HttpServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});
afterAll(() => rmSync(folder, { recursive: true }));

const blob = Buffer.from('content');
const descriptor = { mediaType: 'x/y', digest: digestOf(blob), size: blob.length };

async function serve(handler: Handler): Promise<HttpServer> {
  const pem = { cert: readFileSync(certificates.cert), key: readFileSync(certificates.key) };
  const server = await startHttpServer(handler, pem);
  running.push(server);
  return server;
}

/** Fetches a blob of a registry by somebody who trusts its authority, and that of no other host. */
async function fetchFrom(host: string): Promise<string> {
  const place = mkdtempSync(join(folder, 'home-'));
  mkdirSync(join(place, '.config/containers/certs.d', host), { recursive: true });
  copyFileSync(certificates.ca, join(place, '.config/containers/certs.d', host, 'ca.crt'));
  const options = { tlsVerify: true, retries: 0, retryDelayMs: 1, creds: 'me:x' };
  const registry = connect(options, { env: {}, place: { home: place, runtimeDir: undefined } });
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of await registry.fetch([{ host, repository: 'a' }], descriptor))
      chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  } finally {
    await registry.close();
  }
}

it("a registry's authorities count for its token server and for where it redirects to, and for nobody else", async () => {
  const store = await serve((_, response) => void response.end(blob));
  const tokens = await serve((_, response) => void response.end('{"token":"t"}'));
  const registry = await serve((request, response) => {
    if (request.headers.authorization === 'Bearer t')
      return void response.writeHead(307, { location: `${store.origin}/blob` }).end();
    response.writeHead(401, { 'www-authenticate': `Bearer realm="${tokens.origin}/token"` }).end();
  });
  expect(await fetchFrom(registry.host)).toBe('content');
  expect(store.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  const leading = await startHttpServer((request, response) => {
    if (request.url === '/v2/') response.end('{}');
    else response.writeHead(307, { location: `${store.origin}/blob` }).end();
  });
  running.push(leading);
  const stranger = connect(
    { tlsVerify: true, retries: 0, retryDelayMs: 1 },
    { env: {}, place: { home: folder, runtimeDir: undefined } },
  );
  const origin = { host: leading.host, repository: 'a' };
  await expect(stranger.fetch([origin], descriptor)).rejects.toThrow(/certificate is not trusted/);
  await stranger.close();
});
