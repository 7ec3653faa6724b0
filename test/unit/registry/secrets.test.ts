import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, expect, it } from 'vitest';
import { BuildError } from '../../../src/core/errors.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { connect } from '../../../src/registry/registry.ts';
import { type FakeLayers, fakeLayers, noise } from '../../support/fake-layers.ts';
import { bodyOf, type Handler, type HttpServer, startHttpServer } from '../../support/http-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'registry-secrets-'));
const fake: FakeLayers = fakeLayers(join(folder, 'blobs'));
let server: HttpServer | undefined;
afterEach(() => server?.stop());
afterAll(() => rmSync(folder, { recursive: true }));

const password = 'pa55w0rd';
const token = 't0k3nvalue';
const basic = Buffer.from(`ann:${password}`).toString('base64');
const secrets = [password, token, basic, 'signature-of-url'];

/** An error as any reporter could print it: message, hint, stack, causes. */
const printed = (error: unknown): string => inspect(error, { depth: 10, showHidden: true });

/** Everything that a registry can say about a secret it was sent. */
const echo: Handler = async (request, response) => {
  const body = request.method === 'GET' ? '' : (await bodyOf(request)).toString('latin1', 0, 200);
  const said = `you sent ${request.headers.authorization} to ${request.url} with ${password} ${body}`;
  response.writeHead(400, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code: 'DENIED', message: said.slice(0, 150) }] }));
};
const signed = (origin: string): string => `${origin}/next?X-Amz-Signature=signature-of-url`;

const servers: Record<string, (origin: () => string) => Handler> = {
  'echoes what it is sent (Basic)': () => (request, response) => {
    if (request.headers.authorization !== undefined) return echo(request, response);
    response.writeHead(401, { 'www-authenticate': 'Basic realm=x' }).end();
  },
  'echoes what it is sent (Bearer)': (origin) => (request, response) => {
    if (request.url?.startsWith('/token')) return void response.end(JSON.stringify({ token }));
    if (request.headers.authorization !== undefined) return echo(request, response);
    response.writeHead(401, { 'www-authenticate': `Bearer realm="${origin()}/token"` }).end();
  },
  'has a token server that echoes': (origin) => (request, response) => {
    if (request.url?.startsWith('/token')) return echo(request, response);
    response
      .writeHead(401, { 'www-authenticate': `Bearer realm="${origin()}/token?x=signature-of-url"` })
      .end();
  },
  'has a token server that refuses': (origin) => (request, response) => {
    if (request.url?.startsWith('/token')) return void response.writeHead(403).end(`no ${basic}`);
    response.writeHead(401, { 'www-authenticate': `Bearer realm="${origin()}/token"` }).end();
  },
  'has a token server that hangs up': (origin) => (request, response) => {
    if (request.url?.startsWith('/token')) return void response.destroy();
    response
      .writeHead(401, { 'www-authenticate': `Bearer realm="${origin()}/token?x=signature-of-url"` })
      .end();
  },
  'redirects to signed addresses that break': (origin) => (request, response) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm=x' }).end();
    } else if (request.url?.startsWith('/next')) response.destroy();
    else response.writeHead(307, { location: signed(origin()) }).end();
  },
  'redirects for ever': (origin) => (request, response) => {
    if (request.url === '/v2/')
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm=x' }).end();
    response.writeHead(307, { location: signed(origin()) }).end();
  },
  'names signed upload addresses that break': (origin) => (request, response) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm=x' }).end();
    } else if (request.method === 'POST') response.writeHead(202, { location: signed(origin()) }).end();
    else if (request.method === 'HEAD') response.writeHead(404).end();
    else response.destroy();
  },
  'answers with a broken token': (origin) => (request, response) => {
    if (request.url?.startsWith('/token'))
      return void response.end(JSON.stringify({ token: `${token}\n${password}` }));
    response.writeHead(401, { 'www-authenticate': `Bearer realm="${origin()}/token"` }).end();
  },
};

it.each(Object.entries(servers))('no error tells a secret: a registry that %s', async (_, handlerOf) => {
  const started = await startHttpServer(handlerOf(() => started.origin));
  server = started;
  const options = { tlsVerify: true, retries: 1, retryDelayMs: 1, creds: `ann:${password}` };
  const registry = connect(options, { env: {}, place: { home: folder, runtimeDir: undefined } });
  const name = parseReference(`${started.host}/a/b:x`);
  const image = fake.image([fake.layer('file', noise(1000))]);
  const digest = `sha256:${'0'.repeat(64)}` as const;
  const attempts = [
    () => registry.resolve(name, { os: 'linux', architecture: 'amd64' }),
    () => registry.push(image, [name], { layers: fake.layers, format: 'oci' }),
    () => registry.checkLogin(started.host, 'ann', password),
    () => registry.digest(name),
    () => registry.fetch([{ host: started.host, repository: 'a' }], { mediaType: 'x/y', digest, size: 5 }),
  ];
  const outcomes = await Promise.allSettled(attempts.map((attempt) => attempt()));
  const errors = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
  );
  expect(errors.length).toBeGreaterThan(2);
  for (const error of errors) {
    expect(error).toBeInstanceOf(BuildError);
    for (const secret of secrets) expect(printed(error)).not.toContain(secret);
  }
  await registry.close();
});

it('the check itself finds a secret', () => {
  const leaky = new BuildError('network', 'x', {
    cause: new Error('inner', { cause: { header: `Basic ${basic}` } }),
  });
  expect(secrets.some((secret) => printed(leaky).includes(secret))).toBe(true);
});
