import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import { pushImage } from '../../src/registry/push.ts';
import { hostileClient } from '../support/hostile-client.ts';
import { type Cargo, makeCargo } from '../support/hostile-operations.ts';
import { type HostileRegistry, startHostileRegistry } from '../support/hostile-registry/registry.mjs';
import { type Relay, startRelay } from '../support/hostile-registry/relay.mjs';
import { must } from '../support/programs.ts';
import { hasRegistryServer, startRegistryServer } from '../support/registry-server.ts';
import { skip } from '../support/skips.ts';

const mebibyte = 1 << 20;
const folder = mkdtempSync(join(tmpdir(), 'transfers-'));
const running: { stop(): Promise<void> }[] = [];
let cargo: Cargo;

beforeAll(async () => {
  cargo = await makeCargo(join(folder, 'cargo'), 24 * mebibyte);
});
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function stopping<T extends { stop(): Promise<void> }>(one: T): T {
  running.push(one);
  return one;
}

async function serve(switches: Parameters<typeof startHostileRegistry>[0] = {}): Promise<HostileRegistry> {
  return stopping(await startHostileRegistry(switches));
}

async function pushTo(server: { host: string; origin: string }, tags = ['1']): Promise<string[]> {
  const client = hostileClient(server, {});
  stopping({ stop: () => client.close() });
  const { layers } = cargo.fake;
  const references = tags.map((tag) => parseReference(`${server.host}/app:${tag}`));
  await pushImage(cargo.image, references, client.open, { layers, format: 'oci' });
  return client.told;
}

async function pushThrough(
  to: string,
  limit: Parameters<typeof startRelay>[1],
): Promise<Relay & { told: string[] }> {
  const relay = stopping(await startRelay(to, limit));
  const told = await pushTo({ host: relay.host, origin: `http://${relay.host}` });
  return Object.assign(relay, { told });
}

const sizes = (): number => [...cargo.blobs.values()].reduce((sum, { length }) => sum + length, 0);
const arrived = ({ state }: HostileRegistry): boolean =>
  [...cargo.blobs].every(([digest, bytes]) => state.blobs.get(digest)?.equals(bytes) ?? false);
const count = (registry: HostileRegistry, method: string, path: RegExp): number =>
  registry.hosts.registry.seen.filter((one) => one.method === method && path.test(one.path)).length;

describe('a push through a connection that resets again and again', () => {
  it('sends nothing twice where the registry keeps what arrived', async () => {
    const registry = await serve();
    const { resets } = await pushThrough(registry.host, { everyBytes: mebibyte, together: true });
    expect(arrived(registry)).toBe(true);
    expect(registry.state.received).toBe(sizes());
    expect(resets).toBeGreaterThan(20);
  });

  it('sends only broken pieces twice where the registry keeps whole ones', async () => {
    const registry = await serve({ quirks: { broken: 'dropped' } });
    const limit = { everyBytes: 9 * mebibyte, together: true };
    const { resets } = await pushThrough(registry.host, limit);
    expect(arrived(registry)).toBe(true);
    expect(registry.state.received).toBeLessThanOrEqual(sizes() + resets * 9 * mebibyte);
    expect(count(registry, 'POST', /uploads/)).toBeLessThanOrEqual(cargo.blobs.size + 1);
  });

  it('takes a connection for each piece where the registry forgets the upload', async () => {
    const registry = await serve({ quirks: { broken: 'session' } });
    const { told } = await pushThrough(registry.host, { everyBytes: 9 * mebibyte });
    expect(arrived(registry)).toBe(true);
    expect(told).toContainEqual(expect.stringMatching(/^PUT http.* failed: .*: trying again in 1 s$/));
  });

  it.skipIf(!hasRegistryServer())('ends well at docker-registry, which forgets it too', async () => {
    const server = stopping(await startRegistryServer());
    const { resets } = await pushThrough(server.host, { everyBytes: 9 * mebibyte });
    expect(resets).toBeGreaterThan(0);
    for (const [digest, bytes] of cargo.blobs) {
      const response = await fetch(`http://${server.host}/v2/app/blobs/${digest}`);
      expect(bytes.equals(Buffer.from(await response.arrayBuffer()))).toBe(true);
    }
  });
});

it.skipIf(skip('the hostile registry with another client', { programs: ['skopeo'] }))(
  'the strict registry is one to skopeo',
  async () => {
    const registry = await serve();
    await pushTo(registry);
    const at = (name: string): string => `docker://${registry.host}/${name}:1`;
    const flags = ['--src-tls-verify=false', '--dest-tls-verify=false', '--preserve-digests'];
    await must(['skopeo', 'copy', '-q', ...flags, at('app'), at('copy')]);
    const [ours, theirs] = ['app', 'copy'].map((name) => registry.state.manifest(name, '1'));
    expect(theirs?.digest).toBe(ours?.digest);
  },
);

describe('a push', () => {
  it('sends each blob once and one manifest a tag', async () => {
    const registry = await serve();
    await pushTo(registry, ['1', '2', '3']);
    expect(registry.state.received).toBe(sizes());
    expect(count(registry, 'POST', /uploads/)).toBe(cargo.blobs.size);
    expect(count(registry, 'PUT', /manifests/)).toBe(3);
    await pushTo(registry, ['4']);
    expect(registry.state.received).toBe(sizes());
    expect(count(registry, 'PUT', /uploads/)).toBe(cargo.blobs.size);
  });

  it('learns once that one request is not taken, and how large a piece may be', async () => {
    const registry = await serve({ quirks: { put: 413, maxPatchBytes: mebibyte } });
    await pushTo(registry);
    expect(arrived(registry)).toBe(true);
    const refused = registry.hosts.registry.seen.filter(
      ({ method, headers }) => method === 'PATCH' && Number(headers['content-length']) > mebibyte,
    );
    expect(refused.map(({ headers }) => Number(headers['content-length']) / mebibyte)).toEqual([8, 4]);
  });

  it('tells a warning of the registry once', async () => {
    const registry = await serve({ quirks: { warning: 'closed on \\"Friday\\"' } });
    const seeing = await pushTo(registry);
    expect(seeing).toEqual([`${registry.host} warns: closed on "Friday"`]);
  });
});
