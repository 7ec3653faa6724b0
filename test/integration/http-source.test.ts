import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { download, type HttpTools, isHttp, nameOfUrl } from '../../builder/context/http.ts';
import { prune } from '../../cache/prune.ts';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import type { EventBody } from '../../src/core/events.ts';
import { createClient, type HttpClient } from '../../src/http/client.ts';
import { type Handler, type HttpServer, startHttpServer } from '../support/http-server.ts';
import { type Bench, bench } from '../unit/cache/open.ts';

const modified = 'Wed, 21 Oct 2015 07:28:00 GMT';
const hello = digestOf('hello');

describe('the name of a download', () => {
  it.each([
    ['http://h/a/b.tar?x=/y', 'b.tar'],
    ['http://h/a%20b', 'a b'],
    ['http://h/', '__unnamed__'],
    ['http://h', '__unnamed__'],
    ['http://h/a/', 'a'],
    ['http://h/a/b//', 'b'],
    ['http://h///', '__unnamed__'],
    ['http://h/x%2F..', '__unnamed__'],
    ['http://h/x%00', '__unnamed__'],
    ['http://h/%zz', '%zz'],
  ])('of %s is %s', (url, name) => expect(nameOfUrl(url)).toBe(name));

  it('is asked of http and https alone', () => {
    expect(['http://h/', 'HTTPS://h/', 'ftp://h/', 'h/x', 'http:/x'].map(isHttp)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('a download', () => {
  let place: Bench;
  let server: HttpServer;
  let client: HttpClient;
  let events: EventBody[];
  let handler: Handler;

  beforeEach(async () => {
    place = await bench();
    server = await startHttpServer((request, response) => handler(request, response));
    client = createClient({ env: {}, certDirs: [], tlsVerify: true });
    events = [];
  });
  afterEach(async () => {
    await client.close();
    await server.stop();
    await place[Symbol.asyncDispose]();
  });

  const get = async (
    path = '/f',
    given: { checksum?: Digest; secrets?: Readonly<Record<string, string>> } = {},
  ) => {
    const { checksum, secrets = {} } = given;
    const tools: HttpTools = {
      store: place.store,
      client: async () => client,
      secret: async (id) => (secrets[id] === undefined ? undefined : Buffer.from(`${secrets[id]}\n`)),
      emit: (event) => void events.push(event),
      signal: new AbortController().signal,
      retry: { retries: 2, delayMs: 1 },
    };
    return await download(`${server.origin}${path}`, checksum, tools);
  };
  const states = () => events.flatMap((event) => (event.type === 'transfer' ? [event.state] : []));

  it('is kept under its digest, with the time that the server says', async () => {
    handler = (_, response) => void response.setHeader('last-modified', modified).end('hello');
    const file = await get();
    expect(file).toMatchObject({ digest: hello, size: 5, mtime: Date.parse(modified) / 1000 });
    expect(readFileSync(file.path, 'utf8')).toBe('hello');
    expect(states()).toEqual(['running', 'done']);
    handler = (_, response) => void response.end('hello');
    expect(await get('/other')).toMatchObject({ mtime: 0 });
  });

  it.each([
    ['etag', '"1"', 'if-none-match', '"1"'],
    ['last-modified', modified, 'if-modified-since', modified],
  ])('is not sent again where the server knows its %s', async (header, value, condition, expected) => {
    handler = (request, response) => {
      if (request.headers[condition] === expected) response.statusCode = 304;
      response.setHeader(header, value).end(response.statusCode === 304 ? undefined : 'hello');
    };
    const [first, second] = [await get(), await get()];
    expect(second).toEqual(first);
    expect(states()).toEqual(['running', 'done', 'running', 'exists']);
    handler = (_, response) => void response.setHeader(header, value).end('changed');
    expect(await get()).toMatchObject({ digest: digestOf('changed') });
  });

  it('is asked for once more where its bytes were pruned', async () => {
    handler = (_, response) => void response.setHeader('etag', '"1"').end('hello');
    await get();
    await place.store[Symbol.asyncDispose]();
    const later = await place.reopen();
    prune(later, { everything: true });
    expect(later.blobs.has(hello)).toBe(false);
    place = { ...place, store: later };
    expect((await get()).digest).toBe(hello);
    expect(server.seen.some(({ headers }) => headers['if-none-match'] !== undefined)).toBe(false);
  });

  it('needs no server where its digest is known and its bytes are here', async () => {
    handler = (_, response) => void response.end('hello');
    await get('/f', { checksum: hello });
    server.seen.length = 0;
    expect((await get('/f', { checksum: hello })).size).toBe(5);
    expect(server.seen).toEqual([]);
  });

  it('fails where its digest is another, and leaves nothing', async () => {
    handler = (_, response) => void response.setHeader('etag', '"1"').end('other');
    await expect(get('/f', { checksum: hello })).rejects.toMatchObject({
      code: 'digest-mismatch',
      message: expect.stringMatching(`the digest ${digestOf('other')}, not ${hello}`),
    });
    expect(place.store.blobs.has(digestOf('other'))).toBe(false);
    await get();
    handler = (_, response) => void response.writeHead(304).end();
    await expect(get('/f', { checksum: hello })).rejects.toMatchObject({ code: 'digest-mismatch' });
  });

  it('is tried again after what may pass, and given up after what may not', async () => {
    let count = 0;
    handler = (_, response) => {
      if (++count === 1) return void response.writeHead(503).end();
      if (count > 2) return void response.end('hello');
      response.writeHead(200, { 'content-length': '100' }).write('hel');
      setImmediate(() => response.destroy());
    };
    expect((await get()).digest).toBe(hello);
    expect([count, states()]).toEqual([3, ['running', 'done']]);
    count = 10;
    handler = (_, response) => {
      count++;
      response.writeHead(404).end('<html>no</html>');
    };
    await expect(get('/x?token=secret')).rejects.toMatchObject({
      code: 'not-found',
      message: `the server answers 404 to GET ${server.origin}/x`,
    });
    expect(count).toBe(11);
  });

  it('says without a network how the bytes that are here may be used', async () => {
    handler = (_, response) => void response.setHeader('etag', '"1"').end('hello');
    await get();
    handler = (request) => void request.destroy();
    await expect(get()).rejects.toMatchObject({
      code: 'network',
      hint: expect.stringContaining(`--checksum=${hello}`),
    });
    await expect(get('/never')).rejects.not.toMatchObject({ hint: expect.stringContaining('--checksum') });
  });

  it.each([
    ['HTTP_AUTH_HEADER_127.0.0.1', 'Basic abc', 'Basic abc'],
    ['HTTP_AUTH_TOKEN_127.0.0.1', 'abc', 'Bearer abc'],
    ['HTTP_AUTH_TOKEN_example.org', 'abc', undefined],
  ])('carries the secret %s to its own host alone', async (id, value, expected) => {
    const other = await startHttpServer((_, response) => void response.end('hello'));
    try {
      handler = (_, response) => void response.writeHead(302, { location: `${other.origin}/f` }).end();
      expect((await get('/f', { secrets: { [id]: value } })).digest).toBe(hello);
      expect(server.seen[0]!.headers.authorization).toBe(expected);
      expect(other.seen[0]!.headers.authorization).toBeUndefined();
    } finally {
      await other.stop();
    }
  });

  it('says who must log in where the server wants that', async () => {
    handler = (_, response) => void response.writeHead(401).end();
    await expect(get()).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('HTTP_AUTH_TOKEN_127.0.0.1'),
    });
  });
});
