import { afterEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { type HostileRegistry, startHostileRegistry } from '../../support/hostile-registry/registry.mjs';
import { switches, switchesOf } from '../../support/hostile-registry/switches.mjs';

const running: HostileRegistry[] = [];
afterEach(async () => {
  for (const registry of running.splice(0)) await registry.stop();
});

async function serve(switches = {}): Promise<HostileRegistry> {
  const registry = await startHostileRegistry(switches);
  running.push(registry);
  return registry;
}

const bytes = Buffer.from('some bytes of a blob');
const digest = digestOf(bytes);
const octets = { 'content-type': 'application/octet-stream' };
const empty = Buffer.alloc(0);
const imageType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

async function open(registry: HostileRegistry): Promise<string> {
  const response = await fetch(`${registry.origin}/v2/a/blobs/uploads/`, { method: 'POST' });
  expect(response.status).toBe(202);
  return new URL(response.headers.get('location')!, registry.origin).href;
}

interface Attempt {
  readonly headers?: Record<string, string>;
  readonly body?: Buffer;
  readonly query?: string;
}

/** A request to an upload into which ten bytes have been put. */
async function toUpload(method: string, { headers = octets, body = empty, query = '' }: Attempt) {
  const registry = await serve();
  const location = await open(registry);
  const first = { ...octets, 'content-range': '0-9' };
  await fetch(location, { method: 'PATCH', headers: first, body: bytes.subarray(0, 10) });
  return fetch(location + query, { method, headers, body: new Uint8Array(body) });
}

describe('the strict registry refuses', () => {
  const rest = bytes.subarray(10);
  const range = (value: string) => ({ ...octets, 'content-range': value });

  it.each([
    ['a range with a unit', 'PATCH', { headers: range('bytes 10-19'), body: rest }, 400],
    ['a range with a total', 'PATCH', { headers: range('10-19/20'), body: rest }, 400],
    ['a range that leaves a gap', 'PATCH', { headers: range('11-20'), body: rest }, 416],
    ['a range that was sent before', 'PATCH', { headers: range('0-9'), body: rest }, 416],
    ['a range of another length', 'PATCH', { headers: range('10-20'), body: rest }, 400],
    ['a piece of another type', 'PATCH', { headers: { 'content-type': 'text/plain' }, body: rest }, 415],
    ['an end without a digest', 'PUT', { body: rest }, 400],
    ['an end with another digest', 'PUT', { body: empty, query: `?digest=${digest}` }, 400],
    ['an end with a digest that is none', 'PUT', { body: rest, query: '?digest=sha256:1' }, 400],
  ])('%s', async (_, method, attempt, status) => {
    expect((await toUpload(method, attempt)).status).toBe(status);
  });

  it('no right piece and no right end', async () => {
    expect((await toUpload('PATCH', { headers: range('10-19'), body: rest })).status).toBe(202);
    expect((await toUpload('PUT', { body: rest, query: `?digest=${digest}` })).status).toBe(201);
  });

  it.each([
    ['/v2/A/blobs/uploads/', 'NAME_INVALID'],
    ['/v2/a//b/blobs/uploads/', 'NAME_INVALID'],
    ['/v2/a_-b/blobs/uploads/', 'NAME_INVALID'],
  ])('the name in %s', async (path, code) => {
    const response = await fetch(`${(await serve()).origin}${path}`, { method: 'POST' });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining(code)]);
  });

  const missing = { mediaType: 'x/y', digest, size: bytes.length };
  const image = { schemaVersion: 2, mediaType: imageType, config: missing, layers: [] };
  const index = { schemaVersion: 2, mediaType: indexType, manifests: [{ ...missing, mediaType: imageType }] };

  it.each([
    ['a manifest whose configuration is absent', imageType, image, 404],
    ['an index whose child is absent', indexType, index, 404],
    ['a manifest under the type of another', indexType, image, 400],
    ['a type with a parameter', `${imageType}; charset=utf-8`, image, 400],
    ['a manifest of another schema', imageType, { ...image, schemaVersion: 1 }, 400],
    ['a manifest of more than 4 MiB', imageType, { ...image, note: ' '.repeat(4 << 20) }, 413],
  ])('%s', async (_, type, json, status) => {
    const { origin } = await serve();
    const headers = { 'content-type': type };
    const body = JSON.stringify(json);
    expect((await fetch(`${origin}/v2/a/manifests/1`, { method: 'PUT', headers, body })).status).toBe(status);
  });
});

describe('a fault', () => {
  it('happens as often as it is told, after those that go well', async () => {
    const { origin } = await serve({ faults: [{ at: 'tags', after: 1, times: 2, status: 500 }] });
    const statuses: number[] = [];
    for (let n = 0; n < 5; n++) statuses.push((await fetch(`${origin}/v2/a/tags/list`)).status);
    expect(statuses).toEqual([404, 500, 500, 404, 404]);
  });
});

describe('the list of switches', () => {
  it('names each once', () => {
    expect(new Set(switches.map(({ name }) => name)).size).toBe(switches.length);
    expect(switchesOf('mount-202').quirks).toEqual({ mount: 'session' });
    expect(() => switchesOf('none')).toThrow(/--list/);
  });
});
