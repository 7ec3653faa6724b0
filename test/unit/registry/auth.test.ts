import { afterEach, describe, expect, it } from 'vitest';
import { BuildError } from '../../../src/core/errors.ts';
import { createClient } from '../../../src/http/client.ts';
import { Authorizer, type AuthorizerOptions } from '../../../src/registry/auth.ts';
import { parseChallenges } from '../../../src/registry/challenge.ts';
import type { Secret } from '../../../src/registry/secret.ts';
import { accessTo, createSession, type Session } from '../../../src/registry/session.ts';
import { resolveLocation } from '../../../src/registry/upload-session.ts';
import { bodyOf, type Handler, type HttpServer, startHttpServer } from '../../support/http-server.ts';

const client = createClient({ env: {}, certDirs: [], tlsVerify: true });
const running: HttpServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function serve(handler: Handler): Promise<HttpServer> {
  const server = await startHttpServer(handler);
  running.push(server);
  return server;
}

const options = (endpoint: string, secret?: Secret): AuthorizerOptions => ({
  client,
  endpoint: new URL(endpoint),
  host: 'the.registry',
  credentials: { find: async () => secret },
  tlsVerify: true,
  retries: 2,
  retryDelayMs: 1,
});
const ann: Secret = { type: 'password', username: 'ann', password: 's3cret' };

/** A registry that takes tokens `good…`, and its token server, which does what `grant` says. */
async function registry(grant: Handler): Promise<HttpServer> {
  const server: HttpServer = await serve((request, response) => {
    if (request.url?.startsWith('/token')) return grant(request, response);
    if (request.headers.authorization?.startsWith('Bearer good')) return void response.end('welcome');
    const challenge = `Bearer realm="${server.origin}/token",service="s",scope="repository:a:pull"`;
    response.writeHead(401, { 'www-authenticate': ['Negotiate', challenge] }).end();
  });
  return server;
}

const give =
  (token: object): Handler =>
  (_, response) =>
    void response.end(JSON.stringify(token));
const ask = async (session: Session, repository = 'a'): Promise<string> => {
  const response = await session.request('/v2/x', { access: accessTo(repository, 'pull') });
  return `${response.status} ${await response.text(1000)}`;
};
const tokenCalls = (server: HttpServer): typeof server.seen =>
  server.seen.filter(({ url }) => url.startsWith('/token'));

describe('parseChallenges', () => {
  const cases: [string, [string, Record<string, string>][]][] = [
    [
      'Bearer realm="https://a/t",service="x",scope="repository:a/b:pull,push"',
      [['bearer', { realm: 'https://a/t', service: 'x', scope: 'repository:a/b:pull,push' }]],
    ],
    ['Basic realm="a, Bearer realm=b"', [['basic', { realm: 'a, Bearer realm=b' }]]],
    [
      'Negotiate, Basic realm=x, BEARER Realm = "https://q/" , error=insufficient_scope',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
        ['bearer', { realm: 'https://q/', error: 'insufficient_scope' }],
      ],
    ],
    ['Basic realm="a\\"b"', [['basic', { realm: 'a"b' }]]],
    ['Basic', [['basic', {}]]],
    ['', []],
    [',,;=', []],
    ['realm="x"', []],
  ];
  it.each(cases)('%s', (header, expected) => {
    const found = parseChallenges(header).map((one) => [one.scheme, Object.fromEntries(one.parameters)]);
    expect(found).toEqual(expected);
  });

  it('takes no time for endless nonsense', () => {
    for (const text of ['a', 'a=', '"', ' =', 'a ', '\\"']) parseChallenges(text.repeat(8000));
  });
});

describe('tokens', () => {
  it('are got anonymously, kept, and asked for by service and scope', async () => {
    const server = await registry(give({ token: 'good', expires_in: 300 }));
    const session = createSession(options(server.origin));
    expect([await ask(session), await ask(session)]).toEqual(['200 welcome', '200 welcome']);
    expect(tokenCalls(server)).toHaveLength(1);
    expect(tokenCalls(server)[0]).toMatchObject({ url: '/token?service=s&scope=repository%3Aa%3Apull' });
    expect(tokenCalls(server)[0]?.headers.authorization).toBeUndefined();
  });

  it('are got once for requests side by side, and once per set of scopes', async () => {
    const server = await registry(give({ access_token: 'good' }));
    const session = createSession(options(server.origin, ann));
    await ask(session);
    await Promise.all(Array.from({ length: 5 }, () => ask(session, 'b')));
    expect(tokenCalls(server)).toHaveLength(2);
    const basic = `Basic ${Buffer.from('ann:s3cret').toString('base64')}`;
    expect(tokenCalls(server).every(({ headers }) => headers.authorization === basic)).toBe(true);
  });

  it('are renewed when the registry no longer takes them', async () => {
    let calls = 0;
    const server = await serve((request, response) => {
      if (request.url?.startsWith('/token'))
        return void response.end(`{"token":"t${++calls}","expires_in":9999}`);
      if (request.headers.authorization === `Bearer t${calls}` && calls !== 1)
        return void response.end('welcome');
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${server.origin}/token"` }).end();
    });
    const session = createSession(options(server.origin));
    const answers = [await ask(session)];
    expect(calls).toBe(1);
    answers.push(await ask(session));
    expect(answers).toEqual(['401 ', '200 welcome']);
    expect(calls).toBe(2);
  });

  it('get the scope that the registry misses, first', async () => {
    const server: HttpServer = await serve((request, response) => {
      if (request.url?.startsWith('/token')) {
        const isFull = request.url.includes('special');
        return void response.end(JSON.stringify({ token: isFull ? 'full' : 'poor' }));
      }
      if (request.headers.authorization === 'Bearer full') return void response.end('welcome');
      const missing = request.headers.authorization ? ',error="insufficient_scope",scope="special"' : '';
      response
        .writeHead(401, { 'www-authenticate': `Bearer realm="${server.origin}/token"${missing}` })
        .end();
    });
    expect(await ask(createSession(options(server.origin)))).toBe('200 welcome');
    expect(tokenCalls(server).at(-1)?.url).toBe('/token?scope=special&scope=repository%3Aa%3Apull');
  });

  it('are not asked for without end', async () => {
    const server = await registry(give({ token: 'bad' }));
    expect(await ask(createSession(options(server.origin)))).toMatch(/^401/);
    expect(tokenCalls(server).length).toBeLessThan(4);
  });

  it.each([400, 401, 404, 405])(
    'are got by GET where POST with an identity token is answered %i',
    async (status) => {
      const forms: string[] = [];
      const server = await registry(async (request, response) => {
        if (request.method === 'GET') return void response.end('{"token":"good"}');
        forms.push((await bodyOf(request)).toString());
        response.writeHead(status).end();
      });
      const identity: Secret = { type: 'identity', username: '<token>', token: 'refr3sh' };
      expect(await ask(createSession(options(server.origin, identity)))).toBe('200 welcome');
      const form = Object.fromEntries(new URLSearchParams(forms[0]));
      expect(form).toEqual({
        grant_type: 'refresh_token',
        client_id: 'tsbuild',
        service: 's',
        scope: 'repository:a:pull',
        refresh_token: 'refr3sh',
      });
    },
  );

  it('are still got when the request that began to fetch one is given up', async () => {
    const controller = new AbortController();
    let calls = 0;
    const server = await registry(async (_, response) => {
      if (++calls > 1) return void response.end('{"token":"good"}');
      controller.abort();
    });
    const session = createSession(options(server.origin));
    const access = accessTo('a', 'pull');
    const first = session.request('/v2/x', { access, signal: controller.signal });
    const second = ask(session);
    await expect(first).rejects.toMatchObject({ code: 'interrupted' });
    expect(await second).toBe('200 welcome');
  });

  it('that cannot be had leave no connection occupied', async () => {
    const server: HttpServer = await serve((_, response) => {
      response.writeHead(401, { 'www-authenticate': 'Bearer realm="ftp://x/"' });
      response.end('x'.repeat(200_000));
    });
    const narrow = createClient({ env: {}, certDirs: [], tlsVerify: true, perHost: 1 });
    const session = createSession({ ...options(server.origin), client: narrow });
    for (let i = 0; i < 3; i++) await expect(ask(session)).rejects.toMatchObject({ code: 'denied' });
    await narrow.close();
  });

  it('that are ready are used as they are', async () => {
    const server = await registry(give({}));
    expect(await ask(createSession(options(server.origin, { type: 'access', token: 'good1' })))).toBe(
      '200 welcome',
    );
    expect(tokenCalls(server)).toEqual([]);
  });

  it('that make no sense are refused', async () => {
    for (const answer of [{}, { token: '' }, { token: 'a\nb' }, { token: 7 }]) {
      const server = await registry(give(answer));
      await expect(ask(createSession(options(server.origin)))).rejects.toThrow(/answered without a token/);
    }
    const page = await registry((_, response) => void response.end('<html>'));
    await expect(ask(createSession(options(page.origin)))).rejects.toThrow(/answered without a token/);
  });

  it('are tried for again when the server is busy', async () => {
    let calls = 0;
    const server = await registry((_, response) => {
      if (++calls < 3) response.writeHead(503).end();
      else response.end('{"token":"good"}');
    });
    expect(await ask(createSession(options(server.origin)))).toBe('200 welcome');
  });

  it('are anonymous for another host that a redirect led to', async () => {
    const store = await registry(give({ token: 'good' }));
    const server: HttpServer = await serve((request, response) => {
      if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm=x' }).end();
      } else response.writeHead(307, { location: `${store.origin}/blob` }).end();
    });
    expect(await ask(createSession(options(server.origin, ann)))).toBe('200 welcome');
    expect(store.seen.some(({ headers }) => headers.authorization?.startsWith('Basic'))).toBe(false);
  });
});

describe('token servers that secrets are not sent to', () => {
  const learn = (endpoint: string, realm: string, tlsVerify = true): boolean =>
    new Authorizer({ ...options(endpoint, ann), tlsVerify }).learn(
      `Bearer realm="${realm}"`,
      accessTo('a', 'pull'),
      undefined,
    );
  it.each([
    ['https://reg.org', 'http://auth.org/t'],
    ['https://reg.org', 'https://169.254.169.254/t'],
    ['https://reg.org', 'https://10.0.0.1/t'],
    ['https://reg.org', 'https://[::1]/t'],
    ['https://reg.org', 'https://localhost/t'],
    ['https://reg.org', 'https://[::ffff:127.0.0.1]/t'],
    ['https://reg.org', 'file:///etc/passwd'],
    ['https://reg.org', '/token'],
    ['http://reg.org', 'http://auth.org/t'],
  ])('%s names %s', (endpoint, realm) => {
    expect(() => learn(endpoint, realm)).toThrow(BuildError);
  });
  it.each([
    ['https://reg.org', 'https://auth.org/t'],
    ['https://10.0.0.1', 'https://10.0.0.2/t'],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5001/t'],
    ['http://localhost:5000', 'https://auth.org/t'],
  ])('%s may name %s', (endpoint, realm) => {
    expect(learn(endpoint, realm)).toBe(true);
  });
  it('all but what is no address, with --tls-verify=false', () => {
    expect(learn('http://reg.org', 'http://auth.org/t', false)).toBe(true);
    expect(() => learn('http://reg.org', 'ftp://auth.org/t', false)).toThrow(BuildError);
  });
});

describe('resolveLocation', () => {
  const resolve = (location: string, answeredBy: string): string =>
    resolveLocation(location, new URL(answeredBy)).href;
  it.each([
    [
      '/v2/a/blobs/uploads/1?_state=x%2Fy',
      'https://r.org/v2/a/',
      'https://r.org/v2/a/blobs/uploads/1?_state=x%2Fy',
    ],
    ['1?x', 'https://r.org/v2/a/blobs/uploads/', 'https://r.org/v2/a/blobs/uploads/1?x'],
    ['https://s.org/put?sig=1', 'https://r.org/v2/', 'https://s.org/put?sig=1'],
    ['r.org:8443/v2/a/blobs/uploads/1', 'https://r.org:8443/v2/', 'https://r.org:8443/v2/a/blobs/uploads/1'],
    ['//s.org/v2/x', 'https://r.org/v2/', 'https://s.org/v2/x'],
    ['http://r.org/v2/x', 'https://r.org:8443/v2/', 'https://r.org:8443/v2/x'],
    ['http://127.0.0.1:9/x', 'http://127.0.0.1:5000/', 'http://127.0.0.1:9/x'],
  ])('%s of %s', (location, answeredBy, expected) => {
    expect(resolve(location, answeredBy)).toBe(expected);
  });
  it.each([
    ['http://s.org/x', 'https://r.org/'],
    ['https://10.0.0.1/x', 'https://r.org/'],
    ['https://169.254.169.254/x', 'https://r.org/'],
    ['https://[::1]/x', 'https://r.org/'],
    ['file:///x', 'https://r.org/'],
    ['http://[', 'https://r.org/'],
  ])('%s of %s is refused', (location, answeredBy) => {
    expect(() => resolve(location, answeredBy)).toThrow(/not used/);
  });
});
