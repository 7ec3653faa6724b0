import { createReadStream } from 'node:fs';
import { pour } from '../build/deliver.ts';
import { intoFile } from '../build/into-file.ts';
import { BuildError } from '../core/errors.ts';
import type { Layer } from '../core/types.ts';
import { inflate } from '../oci/inflate.ts';
import { formatAge, formatBytes, formatTable } from '../report/format.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

/** Tells which cache mounts the store keeps. */
export async function listMounts(options: { readonly json: boolean }, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const mounts = parts.store.mounts
    .list()
    .map(({ id, bytes, used }) => ({ id, bytes, lastUsed: new Date(used * 1000).toISOString() }));
  if (options.json) return here.print(`${JSON.stringify(mounts, null, 2)}\n`);
  const rows = mounts.map(({ id, bytes, lastUsed }) => [
    id,
    formatBytes(bytes),
    formatAge(lastUsed, Date.now()),
  ]);
  here.print(formatTable([['ID', 'SIZE', 'LAST USED'], ...rows]));
}

/** A cache mount, and a file (absolute, or `-`). */
export interface MountFile {
  readonly id: string;
  readonly file: string;
}

/** Writes what a cache mount holds as a tar; a file appears only once it is whole. */
export async function exportMount({ id, file }: MountFile, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const { layers, mounts } = parts.store;
  const layer = await mounts.pack(id, here.signal);
  if (layer === undefined) throw unknownMount(id, mounts.list());
  await intoFile(file, (out) => pour(layers.tar(layer, here.signal), out));
}

/** Fills a cache mount with the files of a tar, compressed or not, in the place of what it held. */
export async function importMount({ id, file }: MountFile, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const { blobs, layers, mounts } = parts.store;
  const bytes = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 20 });
  const { digest } = await blobs.writeStream(inflate(read(bytes, file)));
  const layer: Layer = { diffId: digest, own: false };
  const seed = await mounts.seedOf(layer, here.signal);
  const root = (await layers.listing(layer, here.signal)).find(({ path }) => path === '');
  const { mode = 0o755, uid = 0, gid = 0 } = root ?? {};
  await mounts.fill(id, { seed, mode, uid, gid }, here.signal);
}

async function* read(bytes: AsyncIterable<Buffer>, file: string): AsyncGenerator<Buffer> {
  try {
    yield* bytes;
  } catch (cause) {
    throw new BuildError('not-found', `${file} cannot be read`, { cause });
  }
}

function unknownMount(id: string, known: readonly { readonly id: string }[]): BuildError {
  const ids = known.map((mount) => mount.id);
  const hint =
    ids.length === 0
      ? 'It keeps none yet: a RUN with --mount=type=cache makes one.'
      : `There are: ${ids.slice(0, 10).join(', ')}.`;
  return new BuildError('not-found', `the store keeps no cache mount ${id}`, { hint });
}
