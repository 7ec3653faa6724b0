import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import type { RegistryOptions } from '../../../src/core/options.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { connect, type Registry } from '../../../src/registry/registry.ts';
import { makeCertificates } from '../../support/certificates.ts';
import { type FakeLayers, fakeLayers, noise } from '../../support/fake-layers.ts';
import {
  type HostileRegistry,
  type Switches,
  startHostileRegistry,
} from '../../support/hostile-registry/registry.mjs';
import { startHttpServer } from '../../support/http-server.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };
const folder = mkdtempSync(join(tmpdir(), 'mirrored-'));
const open: (() => Promise<void>)[] = [];
let home: string;
let said: string[];
let layers: FakeLayers;
beforeEach(() => {
  home = mkdtempSync(join(folder, 'home-'));
  said = [];
  layers = fakeLayers(join(home, 'blobs'));
});
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Server extends HostileRegistry {
  /** What it was asked since the test began to count. */
  readonly seen: HostileRegistry['hosts']['registry']['seen'];
}

async function server(switches: Switches = {}): Promise<Server> {
  const started = await startHostileRegistry(switches);
  open.push(started.stop);
  return { ...started, seen: started.hosts.registry.seen };
}

/** A person with these rules, who is asked by tests for what they hold. */
function person(
  conf: string,
  options: Partial<RegistryOptions> = {},
  env: Record<string, string> = {},
): Registry {
  const CONTAINERS_REGISTRIES_CONF = join(home, 'registries.conf');
  writeFileSync(CONTAINERS_REGISTRIES_CONF, conf);
  const registry = connect(
    { tlsVerify: true, retries: 1, retryDelayMs: 1, ...options },
    {
      env: { CONTAINERS_REGISTRIES_CONF, ...env },
      place: { home, runtimeDir: undefined },
      say: (text, level = 'warning') => void (level === 'warning' && said.push(text)),
      systemFolder: join(home, 'none'),
    },
  );
  open.push(() => registry.close());
  return registry;
}

/** Pushes an image of one layer and gives the layer's bytes. */
async function fill(to: Server, repository: string, size = 300_000): Promise<Buffer> {
  const image = layers.image([layers.layer('file', noise(size, 'seed'))]);
  const pushed = await person('').push(image, [parseReference(`${to.host}/${repository}`)], {
    layers: layers.layers,
    format: 'oci',
  });
  const manifest = JSON.parse(pushed.bytes.toString()) as { layers: { digest: string }[] };
  to.seen.length = 0;
  return to.state.blobs.get(manifest.layers[0]!.digest)!;
}

async function pull(registry: Registry, name: string): Promise<{ bytes: Buffer; origins: unknown }> {
  const { image } = await registry.resolve(parseReference(name), amd64);
  const layer = image.layers[0]!;
  const chunks: Buffer[] = [];
  for await (const chunk of await registry.fetch(layer.origins!, layer.descriptor!)) chunks.push(chunk);
  return { bytes: Buffer.concat(chunks), origins: layer.origins };
}

const rule = (location: string, ...mirrors: readonly string[]): string =>
  `[[registry]]\nlocation = "${location}"\n${mirrors.map((mirror) => `[[registry.mirror]]\nlocation = "${mirror}"\n`).join('')}`;
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;
const entry = (pair: string): object => ({ auth: Buffer.from(pair).toString('base64') });

/** Answers everything with a status. */
const always = (status: number): Switches => ({
  faults: [{ at: '*', times: 'always', status, headers: {} }],
});

/** Asks for this login before anything else. */
const wants = (user: string, password: string): Switches => ({ auth: { scheme: 'basic', user, password } });

describe('a mirror', () => {
  it('gives manifests and blobs under its path; the image keeps its name, and its registry is not asked', async () => {
    const [mirror, own] = [await server(), await server()];
    const bytes = await fill(mirror, 'cache/some/app');
    const registry = person(rule(own.host, `${mirror.host}/cache`));
    const pulled = await pull(registry, `${own.host}/some/app`);
    expect(pulled.bytes.equals(bytes)).toBe(true);
    expect(pulled.origins).toEqual([{ host: own.host, repository: 'some/app' }]);
    expect(own.seen).toEqual([]);
    expect(said).toEqual([]);
    expect(await registry.digest(parseReference(`${own.host}/some/app`))).toMatch(/^sha256:/);
    expect(own.seen).toEqual([]);
  });

  it('of the command line comes before those of the file', async () => {
    const [first, second, own] = [await server(), await server(), await server()];
    await fill(first, 'some/app');
    await fill(second, 'some/app');
    const mirrors = [{ of: own.host, at: first.host }];
    await pull(person(rule(own.host, second.host), { mirrors }), `${own.host}/some/app`);
    expect([second.seen, own.seen]).toEqual([[], []]);
    expect(first.seen).not.toEqual([]);
  });

  it.each([
    ['does not have the image', {}, /^the mirror \S+ is passed over: /],
    ['fails', always(500), /is passed over: .*500/],
    ['refuses', always(403), /is passed over: /],
    ['wants a login', always(401), /is passed over: /],
  ])('that %s is passed over with a word', async (_, switches, word) => {
    const [mirror, own] = [await server(switches), await server()];
    const bytes = await fill(own, 'app');
    const registry = person(rule(own.host, mirror.host));
    expect((await pull(registry, `${own.host}/app`)).bytes.equals(bytes)).toBe(true);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(word);
  });

  it('that cannot be reached is asked no more', async () => {
    const own = await server();
    const bytes = await fill(own, 'app');
    const mirror = await server({ faults: [{ at: '*', times: 'always', hangUp: true }] });
    const registry = person(rule(own.host, mirror.host));
    await registry.resolve(parseReference(`${own.host}/app`), amd64);
    expect(said).toEqual([expect.stringMatching(/is passed over: GET .* the connection broke/)]);
    const asked = mirror.seen.length;
    expect((await pull(registry, `${own.host}/app`)).bytes.equals(bytes)).toBe(true);
    await registry.digest(parseReference(`${own.host}/app`));
    expect([mirror.seen.length, said.length]).toEqual([asked, 1]);
  });

  it('is not asked again and again, for others can answer', async () => {
    const [mirror, own] = [await server(always(503)), await server()];
    await fill(own, 'app');
    const registry = person(rule(own.host, mirror.host), { retries: 5 });
    expect(await registry.digest(parseReference(`${own.host}/app`))).toMatch(/^sha256:/);
    expect(mirror.seen.filter(({ path }) => path.includes('/manifests/'))).toHaveLength(2);
  });

  it('that breaks off in the middle of a blob is carried on by another', async () => {
    const own = await server();
    const bytes = await fill(own, 'app');
    const ofLayer = { at: 'blob-get', name: digestOf(bytes) };
    const faults = [
      { ...ofLayer, truncate: 100_000 },
      { ...ofLayer, times: 'always', status: 404 },
    ];
    const mirror = await server({ faults });
    await fill(mirror, 'app');
    const registry = person(rule(own.host, mirror.host));
    expect((await pull(registry, `${own.host}/app`)).bytes.equals(bytes)).toBe(true);
    expect(said).toHaveLength(1);
    const asked = own.seen.map(({ method, path }) => `${method} ${path}`);
    expect(asked).toEqual(['GET /v2/', `GET /v2/app/blobs/${digestOf(bytes)}`]);
  });

  it('that gives other bytes than were named is found out, by name', async () => {
    const [mirror, own] = [await server(), await server()];
    const bytes = await fill(own, 'app');
    await fill(mirror, 'app');
    mirror.state.blobs.set(digestOf(bytes), Buffer.alloc(bytes.length));
    const attempt = pull(person(rule(own.host, mirror.host)), `${own.host}/app`);
    await expect(attempt).rejects.toMatchObject({
      code: 'digest-mismatch',
      message: expect.stringContaining(`the mirror ${mirror.host} gave other bytes`),
    });
  });

  it('that gives another manifest for a digest is passed over', async () => {
    const own = await server();
    const bytes = await fill(own, 'app');
    const digest = [...own.state.manifests.keys()].find((key) => key.includes('@'))!.split('@')[1];
    const type = 'application/vnd.oci.image.manifest.v1+json';
    const answer = { status: 200, headers: { 'content-type': type }, body: '{}' };
    const mirror = await server({ faults: [{ at: 'manifest-get', times: 'always', ...answer }] });
    const registry = person(rule(own.host, mirror.host));
    const { image } = await registry.resolve(parseReference(`${own.host}/app@${digest}`), amd64);
    expect(image.layers[0]!.descriptor!.size).toBe(bytes.length);
    expect(said).toEqual([expect.stringMatching(/gave other bytes than were named/)]);
  });

  it('is logged in to under its own name, and is shown nobody else’s login', async () => {
    const [mirror, own] = [await server(wants('mirror', 'm')), await server(wants('own', 'o'))];
    const auths = { [`${mirror.host}/cache`]: entry('mirror:m'), [own.host]: entry('own:o') };
    const DOCKER_AUTH_CONFIG = JSON.stringify({ auths });
    const env = { DOCKER_AUTH_CONFIG };
    const image = layers.image([layers.layer('file', noise(100))]);
    const how = { layers: layers.layers, format: 'oci' } as const;
    await person('', {}, env).push(image, [parseReference(`${mirror.host}/cache/app`)], how);
    mirror.seen.length = 0;
    await pull(person(rule(own.host, `${mirror.host}/cache`), {}, env), `${own.host}/app`);
    const shown = new Set(mirror.seen.map(({ headers }) => headers.authorization));
    expect([...shown]).toEqual([undefined, basic('mirror:m')]);
    expect(own.seen).toEqual([]);
  });

  it('never sees --creds, which are for the registries that the command names', async () => {
    const wanted = wants('me', 's3cret');
    const [mirror, own, other] = [await server(wanted), await server(wanted), await server(wanted)];
    const image = layers.image([layers.layer('file', noise(100))]);
    const how = { layers: layers.layers, format: 'oci' } as const;
    const creds = { creds: 'me:s3cret', credsFor: [`docker://${own.host}/app`, '0'.repeat(64)] };
    const registry = person(rule(own.host, mirror.host), creds);
    await registry.push(image, [parseReference(`${own.host}/app`)], how);
    await pull(registry, `${own.host}/app`);
    await expect(pull(registry, `${other.host}/app`)).rejects.toMatchObject({ code: 'denied' });
    const shown = (to: Server) => [...new Set(to.seen.map(({ headers }) => headers.authorization))];
    expect([own, mirror, other].map(shown)).toEqual([
      [undefined, basic('me:s3cret')],
      [undefined],
      [undefined],
    ]);
  });

  it('is not pushed to', async () => {
    const [mirror, own] = [await server(), await server()];
    const image = layers.image([layers.layer('file', noise(100))]);
    const how = { layers: layers.layers, format: 'oci' } as const;
    await person(rule(own.host, mirror.host)).push(image, [parseReference(`${own.host}/app`)], how);
    expect(mirror.seen).toEqual([]);
    expect([...own.state.manifests.keys()]).toContain('app:latest');
  });
});

describe('registries.conf', () => {
  it('moves pulls to another location, and pushes nothing there', async () => {
    const [old, moved] = [await server(), await server()];
    const bytes = await fill(moved, 'old/app');
    const registry = person(`[[registry]]\nprefix = "${old.host}"\nlocation = "${moved.host}/old"`);
    const pulled = await pull(registry, `${old.host}/app`);
    expect(pulled.bytes.equals(bytes)).toBe(true);
    expect(pulled.origins).toEqual([{ host: old.host, repository: 'app' }]);
    expect(old.seen).toEqual([]);
    const image = layers.image([layers.layer('file', noise(100))]);
    const how = { layers: layers.layers, format: 'oci' } as const;
    await registry.push(image, [parseReference(`${old.host}/app`)], how);
    expect([...old.state.manifests.keys()]).toContain('app:latest');
  });

  it('blocks pulls, pushes and logins before anything is sent', async () => {
    const own = await server();
    const registry = person(`[[registry]]\nlocation = "${own.host}"\nblocked = true`);
    const name = parseReference(`${own.host}/app`);
    const image = layers.image([layers.layer('file', noise(100))]);
    const how = { layers: layers.layers, format: 'oci' } as const;
    for (const attempt of [
      registry.resolve(name, amd64),
      registry.digest(name),
      registry.push(image, [name], how),
      registry.pushIndex([image], [name], how),
      registry.checkLogin(own.host, 'me', 'x'),
    ])
      await expect(attempt).rejects.toMatchObject({
        code: 'denied',
        message: `the registry ${own.host} is blocked in ${join(home, 'registries.conf')}`,
      });
    expect(own.seen).toEqual([]);
  });

  it('leaves a registry that it blocks to the mirrors, and says why when none answers', async () => {
    const [mirror, own, other] = [await server(), await server(), await server()];
    const bytes = await fill(mirror, 'app');
    const blocking = rule(own.host, mirror.host).replace('\n', '\nblocked = true\n');
    const registry = person(blocking + rule(other.host, mirror.host));
    expect((await pull(registry, `${own.host}/app`)).bytes.equals(bytes)).toBe(true);
    const { image } = await registry.resolve(parseReference(`${own.host}/app`), amd64);
    await mirror.stop();
    await registry.digest(parseReference(`${other.host}/app`));
    const { origins, descriptor } = image.layers[0]!;
    const bytesOf = async () => {
      for await (const _ of await registry.fetch(origins!, descriptor!)) throw new Error('bytes');
    };
    await expect(bytesOf()).rejects.toThrow(/nothing accepts/);
    await expect(registry.digest(parseReference(`${own.host}/app`))).rejects.toThrow(/nothing accepts/);
    expect(own.seen).toEqual([]);
  });

  it('lets a registry have any certificate where it is insecure, and no other', async () => {
    const certificates = makeCertificates(join(home, 'pem'));
    const pem = { cert: readFileSync(certificates.cert), key: readFileSync(certificates.key) };
    const secure = await startHttpServer((_, response) => void response.end('{}'), pem);
    open.push(secure.stop);
    const strict = person('', { retries: 0 }).checkLogin(secure.host, 'me', 'x');
    await expect(strict).rejects.toThrow(/certificate is not trusted/);
    const conf = `[[registry]]\nlocation = "${secure.host}"\ninsecure = true`;
    await person(conf, { retries: 0 }).checkLogin(secure.host, 'me', 'x');
  });

  it('is not read before a registry is asked', async () => {
    const own = await server();
    const registry = person('no TOML');
    await registry.credentials.find(own.host);
    await expect(registry.digest(parseReference(`${own.host}/a`))).rejects.toThrow(/is no TOML/);
    expect(own.seen).toEqual([]);
  });
});
