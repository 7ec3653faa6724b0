import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../../src/http/client.ts';
import { findEndpoint } from '../../../src/registry/endpoint.ts';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { type Handler, type HttpServer, startHttpServer } from '../../support/http-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'endpoint-'));
let certificates: Certificates;
const running: HttpServer[] = [];
beforeAll(() => {
  certificates = makeCertificates(join(folder, 'pem'));
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function serve(handler: Handler, isTls = false): Promise<HttpServer> {
  const pem = { cert: readFileSync(certificates.cert), key: readFileSync(certificates.key) };
  const server = await startHttpServer(handler, isTls ? pem : undefined);
  running.push(server);
  return server;
}

const ok: Handler = (_, response) => void response.end('{}');
const find = async (host: string, tlsVerify = true, certDirs: string[] = []): Promise<string> => {
  const client = createClient({ env: { SSL_CERT_FILE: certificates.ca }, certDirs, tlsVerify });
  const endpoint = await findEndpoint(host, { client, tlsVerify, certDirs });
  await client.close();
  return endpoint.origin;
};

describe('findEndpoint', () => {
  it('asks nobody about registries elsewhere', async () => {
    expect(await find('registry.test')).toBe('https://registry.test');
    expect(await find('registry.test:5000')).toBe('https://registry.test:5000');
    for (const name of ['docker.io', 'index.docker.io'])
      expect(await find(name)).toBe('https://registry-1.docker.io');
  });

  it('takes plain HTTP on loopback, also from a registry that wants a login', async () => {
    const server = await serve(ok);
    expect(await find(server.host)).toBe(server.origin);
    const closed = await serve((_, response) => void response.writeHead(401).end());
    expect(await find(closed.host)).toBe(closed.origin);
    expect(closed.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('takes HTTPS on loopback from a server that speaks nothing else', async () => {
    const server = await serve(ok, true);
    expect(await find(server.host)).toBe(server.origin);
    const strict = await serve(
      (_, response) => void response.writeHead(400).end('Client sent an HTTP request'),
    );
    expect(await find(strict.host)).toBe(`https://${strict.host}`);
    const leading = await serve(
      (_, response) => void response.writeHead(301, { location: 'https://x/' }).end(),
    );
    expect(await find(leading.host)).toBe(`https://${leading.host}`);
  });

  it('takes HTTPS without asking where certificates are kept for the host', async () => {
    const server = await serve(ok);
    mkdirSync(join(folder, 'certs.d', server.host), { recursive: true });
    writeFileSync(join(folder, 'certs.d', server.host, 'ca.crt'), readFileSync(certificates.ca));
    expect(await find(server.host, true, [join(folder, 'certs.d')])).toBe(`https://${server.host}`);
    expect(server.seen).toEqual([]);
  });

  it('prefers HTTPS with --tls-verify=false, and takes HTTP where there is none', async () => {
    const [plain, secure] = [await serve(ok), await serve(ok, true)];
    expect(await find(plain.host, false)).toBe(plain.origin);
    expect(await find(secure.host, false)).toBe(secure.origin);
  });

  it.each(['a/b', 'user@host', 'host?x', 'ho st'])('refuses %s as a name', async (host) => {
    await expect(find(host)).rejects.toMatchObject({ code: 'usage' });
  });
});
