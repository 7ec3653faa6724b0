import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ClientOptions, createClient, type HttpClient } from '../../../src/http/client.ts';
import { networkError } from '../../../src/http/failure.ts';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { bodyOf, type Handler, type HttpServer, startHttpServer } from '../../support/http-server.ts';
import { type ProxyOptions, type ProxyServer, startProxyServer } from '../../support/proxy-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'http-client-'));
let certificates: Certificates;
const running: { stop(): Promise<void> }[] = [];
const clients: HttpClient[] = [];

beforeAll(() => {
  certificates = makeCertificates(join(folder, 'pem'), ['registry.test']);
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const server of running.splice(0)) await server.stop();
});

async function serve(handler: Handler, tls?: Parameters<typeof startHttpServer>[1]): Promise<HttpServer> {
  const server = await startHttpServer(handler, tls);
  running.push(server);
  return server;
}

function client(options: Partial<ClientOptions> = {}): HttpClient {
  const made = createClient({ env: {}, certDirs: [], tlsVerify: true, ...options });
  clients.push(made);
  return made;
}

const hello: Handler = (_, response) => void response.end('hello');
const pem = (): { cert: Buffer; key: Buffer } => ({
  cert: readFileSync(certificates.cert),
  key: readFileSync(certificates.key),
});

describe('request', () => {
  it('sends nothing where nothing may be asked', async () => {
    let asked = 0;
    const server = await serve((_, response) => {
      asked++;
      response.end();
    });
    const offline = client({ offline: true }).request(`${server.origin}/x?token=secret`);
    await expect(offline).rejects.toMatchObject({
      code: 'network',
      message: `GET ${server.origin}/x was not sent: --offline forbids it`,
      retry: false,
    });
    expect(asked).toBe(0);
  });

  it('answers with status, headers and body, whatever the status', async () => {
    const server = await serve(
      (_, response) => void response.writeHead(418, { 'x-a': ['1', '2'] }).end('tea'),
    );
    const response = await client().request(`${server.origin}/x?y=1`);
    expect([response.status, response.header('x-a'), await response.text(10)]).toEqual([418, '1, 2', 'tea']);
    expect(server.seen[0]).toMatchObject({ method: 'GET', url: '/x?y=1' });
  });

  it('refuses a body that is larger than allowed', async () => {
    const server = await serve((_, response) => void response.end('x'.repeat(100_000)));
    const response = await client().request(server.origin);
    await expect(response.text(99_999)).rejects.toThrow(/larger than 99999 bytes/);
  });

  it('sends a stream with its length, and the same again after a redirect', async () => {
    const server = await serve(async (request, response) => {
      const body = await bodyOf(request);
      if (request.url === '/a') response.writeHead(307, { location: '/b' }).end();
      else response.end(`${request.headers['content-length']} ${body.toString()}`);
    });
    const body = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('one ');
      yield Buffer.from('two');
    };
    const headers = { 'content-length': '7' };
    const response = await client().request(`${server.origin}/a`, { method: 'PUT', headers, body });
    expect(await response.text(100)).toBe('7 one two');
  });

  it('is sent on a connection that another left open', async () => {
    const ports: unknown[] = [];
    const server = await serve((request, response) => {
      ports.push(request.socket.remotePort);
      response.end('hello');
    });
    const made = client();
    for (let time = 0; time < 10; time++) await (await made.request(server.origin)).text(10);
    // A connection may not be free yet when its answer has been read.
    expect(new Set(ports).size).toBeLessThan(3);
  });

  it('runs at most so many requests to one host at once, bodies included', async () => {
    let now = 0;
    let most = 0;
    const server = await serve(async (_, response) => {
      most = Math.max(most, ++now);
      // The headers arrive; the place is held until the body has ended.
      response.write('x');
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
      now--;
      response.end();
    });
    const http = client({ perHost: 2 });
    await Promise.all(Array.from({ length: 10 }, async () => (await http.request(server.origin)).text(10)));
    expect(most).toBe(2);
    expect(server.seen).toHaveLength(10);
  });
});

describe('redirects', () => {
  it('leave Authorization behind at another host or port', async () => {
    const other = await serve(hello);
    const server = await serve(
      (_, response) => void response.writeHead(307, { location: `${other.origin}/b` }).end(),
    );
    const headers = { authorization: 'Bearer s3cret', cookie: 'c=1', range: 'bytes=1-' };
    const response = await client().request(server.origin, { headers });
    expect(await response.text(10)).toBe('hello');
    expect(server.seen[0]?.headers.authorization).toBe('Bearer s3cret');
    expect(other.seen[0]?.headers.authorization).toBeUndefined();
    expect(other.seen[0]?.headers.cookie).toBeUndefined();
    expect(other.seen[0]?.headers.range).toBe('bytes=1-');
  });

  it('keep it at the same origin', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: '/next' }).end();
      else response.end(request.headers.authorization);
    });
    const response = await client().request(server.origin, { headers: { authorization: 'Bearer t' } });
    expect(await response.text(10)).toBe('Bearer t');
  });

  it('end after five', async () => {
    const server = await serve(
      (_, response) => void response.writeHead(302, { location: '/?token=abc' }).end(),
    );
    await expect(client().request(server.origin)).rejects.toThrow(/redirects too often/);
    expect(server.seen).toHaveLength(6);
  });

  it('are returned where none is allowed, and for a POST that was answered 302', async () => {
    const server = await serve((_, response) => void response.writeHead(302, { location: '/x' }).end());
    expect((await client().request(server.origin, { maxRedirects: 0 })).status).toBe(302);
    expect((await client().request(server.origin, { method: 'POST', body: Buffer.from('x') })).status).toBe(
      302,
    );
  });

  it('never lead from https to http', async () => {
    const plain = await serve(hello);
    const server = await serve(
      (_, response) => void response.writeHead(302, { location: plain.origin }).end(),
      pem(),
    );
    const env = { SSL_CERT_FILE: certificates.ca };
    await expect(client({ env }).request(server.origin)).rejects.toThrow(/leads from https to http/);
    expect(plain.seen).toEqual([]);
    expect((await client({ tlsVerify: false }).request(server.origin)).status).toBe(200);
  });
});

describe('TLS', () => {
  it('trusts SSL_CERT_FILE, SSL_CERT_DIR and NODE_EXTRA_CA_CERTS, and no stranger', async () => {
    const server = await serve(hello, pem());
    for (const env of [
      { SSL_CERT_FILE: certificates.ca },
      { SSL_CERT_DIR: join(folder, 'pem') },
      { NODE_EXTRA_CA_CERTS: certificates.ca },
    ]) {
      expect((await client({ env }).request(server.origin)).status).toBe(200);
    }
    const stranger = client().request(server.origin);
    await expect(stranger).rejects.toMatchObject({
      code: 'network',
      retry: false,
      hint: expect.stringContaining('certs.d'),
    });
    expect((await client({ tlsVerify: false }).request(server.origin)).status).toBe(200);
  });

  it('says which file cannot be read', async () => {
    const env = { SSL_CERT_FILE: '/nowhere/ca.pem' };
    await expect(client({ env }).request('https://127.0.0.1:1/')).rejects.toThrow(
      /\/nowhere\/ca\.pem cannot be read/,
    );
  });

  it('uses authority and client certificate of certs.d/<host:port>', async () => {
    const ca = readFileSync(certificates.ca);
    const server = await serve(hello, { ...pem(), ca, requestCert: true });
    const place = join(folder, 'certs.d', server.host);
    mkdirSync(place, { recursive: true });
    copyFileSync(certificates.ca, join(place, 'any.crt'));
    const certDirs = [join(folder, 'certs.d')];
    await expect(client({ certDirs }).request(server.origin)).rejects.toMatchObject({ code: 'network' });
    copyFileSync(certificates.clientCert, join(place, 'me.cert'));
    copyFileSync(certificates.clientKey, join(place, 'me.key'));
    expect((await client({ certDirs }).request(server.origin)).status).toBe(200);
    expect((await client({ certDir: place }).request(server.origin)).status).toBe(200);
    const lost = client({ certDir: join(place, 'none') }).request(server.origin);
    await expect(lost).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('(ENOENT)') });
  });

  it('uses an authority that is named for the host, and for no other', async () => {
    const server = await serve(hello, pem());
    const trusting = (certificatesByHost: Record<string, string>) =>
      client({ certificates: certificatesByHost }).request(server.origin);
    expect((await trusting({ [server.host]: certificates.ca })).status).toBe(200);
    await expect(trusting({ 'registry.test': certificates.ca })).rejects.toMatchObject({ code: 'network' });
    await expect(trusting({ [server.host]: '/nowhere.crt' })).rejects.toMatchObject({ code: 'usage' });
    const http = client({ certificates: { 'registry.test': certificates.ca } });
    expect((await http.request(server.origin, { alsoTrust: 'registry.test' })).status).toBe(200);
  });
});

it('a host may count on the authorities of another (a token server on those of its registry)', async () => {
  const server = await serve(hello, pem());
  mkdirSync(join(folder, 'others.d/registry.test'), { recursive: true });
  copyFileSync(certificates.ca, join(folder, 'others.d/registry.test/ca.crt'));
  const http = client({ certDirs: [join(folder, 'others.d')] });
  await expect(http.request(server.origin)).rejects.toMatchObject({ code: 'network' });
  expect((await http.request(server.origin, { alsoTrust: 'registry.test' })).status).toBe(200);
});

describe('what breaks', () => {
  it('says that nothing listens', async () => {
    const server = await startHttpServer(hello);
    await server.stop();
    const attempt = client().request(`${server.origin}/p?token=s3cret`);
    await expect(attempt).rejects.toMatchObject({ code: 'network', retry: true });
    await expect(attempt).rejects.toThrow(/nothing accepts connections/);
    await expect(attempt).rejects.not.toThrow(/s3cret/);
  });

  it('says that the server does not answer', async () => {
    const server = await serve(() => {});
    const attempt = client({ timeouts: { headersMs: 50 } }).request(server.origin);
    await expect(attempt).rejects.toThrow(/did not answer in time/);
  });

  it('says that the server stopped in the middle', async () => {
    const server = await serve(
      (_, response) => void response.writeHead(200, { 'content-length': '10' }).write('12345'),
    );
    const response = await client({ timeouts: { idleMs: 50 } }).request(server.origin);
    await expect(response.text(100)).rejects.toThrow(/stopped sending/);
  });

  it('notices a body that ends too early', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('12345', () => response.destroy());
    });
    const response = await client().request(server.origin);
    await expect(response.text(100)).rejects.toMatchObject({ code: 'network', retry: true });
  });

  it('says that it is no HTTP', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {}).write('SSH-2.0-OpenSSH\r\n', () => socket.destroySoon());
    });
    const { host } = await listening(server);
    await expect(client().request(`http://${host}/`)).rejects.toThrow(/not HTTP/);
  });

  it('ends with the signal', async () => {
    const controller = new AbortController();
    const server = await serve(() => controller.abort());
    const attempt = client().request(server.origin, { signal: controller.signal });
    await expect(attempt).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('a fault of ours', () => {
  const facts = { method: 'GET', url: new URL('http://x.test/'), proxy: undefined, signal: undefined };

  it('is thrown as it is; one with a code may be the network', () => {
    expect(() => networkError(new TypeError('Pool is not a constructor'), facts)).toThrow(TypeError);
    const coded = Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL' });
    expect(networkError(coded, facts)).toMatchObject({ code: 'network' });
  });
});

describe('proxy', () => {
  const startProxy = async (options: ProxyOptions = {}): Promise<ProxyServer> => {
    const proxy = await startProxyServer(options);
    running.push(proxy);
    return proxy;
  };

  it('is asked in plain form for http and by CONNECT for https, with its password', async () => {
    const proxy = await startProxy();
    const plain = await serve(hello);
    const secure = await serve(hello, pem());
    const address = `http://me:p%40ss@${proxy.host}`;
    const env = { http_proxy: address, https_proxy: address, SSL_CERT_FILE: certificates.ca };
    // A name that is not loopback, which the proxy alone can resolve.
    const names = [plain, secure].map(({ origin }) => origin.replace('127.0.0.1', 'registry.test'));
    expect(await (await client({ env }).request(`${names[0]}/a`)).text(10)).toBe('hello');
    expect(await (await client({ env }).request(`${names[1]}/b`)).text(10)).toBe('hello');
    expect(proxy.asked).toEqual([`GET ${names[0]}/a`, `CONNECT ${new URL(names[1]!).host}`]);
    const expected = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    expect(proxy.authorizations).toEqual([expected, expected]);
    expect(plain.seen[0]?.headers['proxy-authorization']).toBeUndefined();
  });

  it('may itself be reached over TLS, with the authorities that servers have', async () => {
    const proxy = await startProxy({ tls: pem(), login: 'me:word' });
    const [plain, secure] = [await serve(hello), await serve(hello, pem())];
    const address = `https://me:word@${proxy.host.replace('127.0.0.1', 'localhost')}`;
    const env = { http_proxy: address, https_proxy: address, SSL_CERT_FILE: certificates.ca };
    for (const { origin } of [plain, secure]) {
      const url = origin.replace('127.0.0.1', 'registry.test');
      expect(await (await client({ env }).request(url)).text(10)).toBe('hello');
    }
    const stranger = client({ env: { ...env, SSL_CERT_FILE: certificates.clientCert } });
    await expect(stranger.request(plain.origin.replace('127.0.0.1', 'registry.test'))).rejects.toThrow(
      /certificate is not trusted/,
    );
  });

  it('is not asked for what NO_PROXY exempts', async () => {
    const proxy = await startProxy();
    const env = { http_proxy: `http://${proxy.host}`, NO_PROXY: 'registry.test' };
    await expect(client({ env }).request('http://registry.test:9/')).rejects.toThrow(/host name/);
    expect(proxy.asked).toEqual([]);
  });

  it('that refuses is told apart from the server, without its password', async () => {
    const proxy = await startProxy({ login: 'me:other' });
    const env = { https_proxy: `http://me:s3cret@${proxy.host}` };
    const attempt = client({ env }).request('https://registry.test/');
    await expect(attempt).rejects.toThrow(/the proxy asks for a user and password/);
    await expect(attempt).rejects.not.toThrow(/s3cret/);
  });

  it.each([
    ['hangs up', (socket: Duplex) => void socket.destroy(), /the connection broke/],
    ['does not answer', () => {}, /did not answer in time/],
  ])('that %s is a failure, and not asked for ever', async (_, answer, words) => {
    let asked = 0;
    const proxy = await startHttpServer(
      () => {},
      undefined,
      (__, socket) => {
        asked += 1;
        answer(socket);
      },
    );
    running.push(proxy);
    const options = { env: { https_proxy: proxy.origin }, timeouts: { connectMs: 500 } };
    await expect(client(options).request('https://registry.test/v2/')).rejects.toThrow(words);
    expect(asked).toBe(1);
  });
});

async function listening(server: Server): Promise<{ host: string }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  running.push({ stop: () => new Promise((resolve) => void server.close(() => resolve())) });
  const address = server.address();
  return { host: `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}` };
}

it('has the tools that these tests need', () => {
  expect(existsSync(certificates.cert)).toBe(true);
});
