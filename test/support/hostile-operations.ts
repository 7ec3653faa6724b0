import { mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '../../cache/store.ts';
import { digestOf } from '../../src/core/digest.ts';
import type { Image, Layer } from '../../src/core/types.ts';
import { manifestOf } from '../../src/oci/manifest.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { pushImage } from '../../src/registry/push.ts';
import { pushIndex } from '../../src/registry/push-index.ts';
import { remoteDigest, resolveImage } from '../../src/registry/resolve.ts';
import { type FakeLayers, fakeLayers, noise } from './fake-layers.ts';
import { amd64, type HostileClient } from './hostile-client.ts';
import type { HostileRegistry } from './hostile-registry/registry.mjs';

/** An image that goes to and fro: its layers packed once, for every registry. */
export interface Cargo {
  readonly fake: FakeLayers;
  readonly layers: readonly Layer[];
  readonly image: Image;
  /** Blobs by digest: the layers and the configuration. */
  readonly blobs: ReadonlyMap<string, Buffer>;
  readonly manifest: ReturnType<typeof manifestOf>;
}

/** An image of two layers: one of three thousand bytes that do not compress, one of `bytes` more. */
export async function makeCargo(folder: string, bytes: number): Promise<Cargo> {
  const fake = fakeLayers(folder);
  const layers = [fake.layer('small', noise(3000)), fake.layer('big', noise(bytes, 'big'))];
  const image = fake.image(layers);
  const packed = await Promise.all(layers.map((layer) => fake.layers.packed(layer, 'gzip')));
  const descriptors = packed.map(({ descriptor }) => descriptor);
  const blobs = new Map([[digestOf(image.config) as string, image.config]]);
  for (const { descriptor, path } of packed) blobs.set(descriptor.digest, await readFile(path));
  const manifest = manifestOf({ config: image.config, layers: descriptors, format: 'oci' });
  return { fake, layers, image, blobs, manifest };
}

export interface Meeting {
  readonly registry: Pick<HostileRegistry, 'state'>;
  readonly client: HostileClient;
  readonly cargo: Cargo;
  /** A folder of its own, for a store. */
  readonly folder: string;
}

/**
 * `right`, `sent` (right, and bytes of layers were sent), `absent` and `unverified` (what a HEAD said, which is not the
 * truth: who pulls will see), or what is wrong.
 */
type Outcome = string;

/** What a client does with a registry. `before` makes what the registry has already. */
export interface Operation {
  readonly before?: (registry: Pick<HostileRegistry, 'state'>, cargo: Cargo) => void;
  /** What goes wrong besides what the switch says. */
  readonly faults?: readonly Readonly<Record<string, unknown>>[];
  run(meeting: Meeting): Promise<Outcome>;
}

const repository = 'app';
const cutOnce = { at: ['blob-get', 'store'], times: 'always', first: true, resetAfter: 100_000 };

export const operations: Readonly<Record<string, Operation>> = {
  pull: { before: seed, run: pull },
  'pull, cut off once': { before: seed, faults: [cutOnce], run: pull },
  push: { run: async (meeting) => arrived(meeting, await push(meeting, ['1'])) },
  'push again': {
    before: seed,
    run: async (meeting) => sentNothing(meeting, await push(meeting, ['2'])),
  },
  'push with a mount': {
    before: (registry, cargo) => seedInto(registry, cargo, 'base'),
    run: async (meeting) => sentNothing(meeting, await push(meeting, ['1'], 'base')),
  },
  'push under three tags': {
    run: async (meeting) => arrived(meeting, await push(meeting, ['1', '2', '3'])),
  },
  'push an index': { run: pushTwo },
  'look up a digest': { before: seed, run: lookUp },
};

function seed(registry: Pick<HostileRegistry, 'state'>, cargo: Cargo): void {
  seedInto(registry, cargo, repository);
}

function seedInto({ state }: Pick<HostileRegistry, 'state'>, { blobs, manifest }: Cargo, into: string): void {
  for (const bytes of blobs.values()) state.addBlob(into, bytes);
  state.addManifest(into, '1', { type: manifest.mediaType, bytes: manifest.bytes });
}

function referenceTo({ client }: Meeting, tag: string) {
  return parseReference(`${client.host}/${repository}:${tag}`);
}

/** Into a store, which verifies; what it kept is compared once more. */
async function pull(meeting: Meeting): Promise<Outcome> {
  const { client, cargo, folder } = meeting;
  await using store = await openStore(mkdtempSync(join(folder, 'store-')), {
    fetch: client.fetch,
    mapping: 'plain',
  });
  const { image } = await resolveImage(referenceTo(meeting, '1'), { open: client.open, platform: amd64 });
  if (!image.config.equals(cargo.image.config)) return 'another configuration';
  for (const layer of image.layers) {
    const { descriptor, path } = await store.layers.packed(layer, 'any');
    if (cargo.blobs.get(descriptor.digest)?.equals(await readFile(path)) !== true) return 'another layer';
  }
  return 'right';
}

async function push(meeting: Meeting, tags: readonly string[], from?: string): Promise<readonly string[]> {
  const { client, cargo } = meeting;
  const origins = from === undefined ? [] : [{ host: client.host, repository: from }];
  const layers = { ...cargo.fake.layers, addOrigin: async () => {}, origins: () => origins };
  const references = tags.map((tag) => referenceTo(meeting, tag));
  await pushImage(cargo.image, references, client.open, { layers, format: 'oci' });
  return tags;
}

/** Every tag names the manifest, and the repository has all that it names, byte for byte. */
function arrived({ registry: { state }, cargo }: Meeting, tags: readonly string[]): Outcome {
  for (const tag of tags) {
    const stored = state.manifest(repository, tag);
    if (stored === undefined) return `no manifest ${tag}`;
    if (!stored.bytes.equals(cargo.manifest.bytes)) return `another manifest ${tag}`;
  }
  for (const [digest, bytes] of cargo.blobs) {
    if (!state.has(repository, digest)) return 'a blob is missing';
    if (state.blobs.get(digest)?.equals(bytes) !== true) return 'another blob';
  }
  return 'right';
}

function sentNothing(meeting: Meeting, tags: readonly string[]): Outcome {
  const outcome = arrived(meeting, tags);
  // The configuration may have been sent more than once; each layer is larger than that.
  const isLittle = meeting.registry.state.received < 3000;
  return outcome === 'right' && !isLittle ? 'sent' : outcome;
}

async function pushTwo(meeting: Meeting): Promise<Outcome> {
  const { client, cargo, registry } = meeting;
  const other = { ...cargo.image, platform: { os: 'linux', architecture: 'arm64' } };
  const images = [cargo.image, { ...other, layers: cargo.layers.slice(0, 1) }];
  const reference = referenceTo(meeting, '1');
  const { layers } = cargo.fake;
  const { bytes } = await pushIndex(images, [reference], client.open, { layers, format: 'oci' });
  if (registry.state.manifest(repository, '1')?.bytes.equals(bytes) !== true) return 'another index';
  return arrived(meeting, [cargo.manifest.descriptor.digest]);
}

async function lookUp(meeting: Meeting): Promise<Outcome> {
  const digest = await remoteDigest(referenceTo(meeting, '1'), meeting.client.open);
  if (digest === meeting.cargo.manifest.descriptor.digest) return 'right';
  return digest === undefined ? 'absent' : 'unverified';
}
