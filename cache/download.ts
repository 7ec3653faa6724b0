import { type Digest, finish, hasher } from '../src/core/digest.ts';
import { BuildError } from '../src/core/errors.ts';
import type { FetchBlob } from '../src/core/store.ts';
import type { Descriptor, Layer } from '../src/core/types.ts';
import { BlobWriter } from './blobs.ts';
import type { Facts } from './facts.ts';
import type { Home } from './home.ts';
import { removeTree } from './scratch.ts';
import type { Growth, Unpacked, UnpackInput } from './unpack-worker.ts';
import { type Job, start } from './workers.ts';

/** The worker is told of new bytes at most this often. */
const toldEvery = 512 * 1024;

export interface Downloads {
  /** Takes the diffIds of own layers that could not be fetched. */
  readonly lost: Set<Digest>;
  readonly home: Home;
  readonly facts: Facts;
  readonly fetch: FetchBlob;
}

/** A stream of the layer's compressed bytes from where it can be had. */
export async function fetchLayer(
  from: Downloads,
  layer: Layer,
  signal?: AbortSignal,
): Promise<AsyncIterable<Buffer>> {
  const descriptor = descriptorOf(layer);
  const known = layer.origins ?? [];
  const others = from.facts
    .origins(descriptor.digest)
    .filter(
      (origin) => !known.some((one) => one.host === origin.host && one.repository === origin.repository),
    );
  try {
    return await from.fetch([...known, ...others], descriptor, signal);
  } catch (error) {
    noteLost(from, layer, error);
    throw error;
  }
}

/** What a step once made can be made again: whoever asked may go another way, and is told why. */
function noteLost({ lost, home }: Downloads, { own, diffId }: Layer, error: unknown): void {
  if (!own || !(error instanceof BuildError) || error.code === 'interrupted') return;
  if (!lost.has(diffId)) home.warn(`the layer ${diffId} cannot be had any more: ${error.message}`);
  lost.add(diffId);
}

/**
 * Fetches a layer, and while its bytes arrive hashes them here and inflates, hashes, lists and unpacks them in a
 * worker thread, which reads behind the growing file. The blob is kept: what was wanted for its listing is often
 * unpacked by the next step. Wrong bytes leave nothing.
 */
export async function download(
  from: Downloads,
  layer: Layer,
  wanted: { /** Where to unpack it. */ readonly tree?: string },
  signal?: AbortSignal,
): Promise<Unpacked> {
  const descriptor = descriptorOf(layer);
  const chunks = await fetchLayer(from, layer, signal);
  const blob = new BlobWriter(from.home);
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const input: UnpackInput = {
    file: blob.path,
    growing: true,
    mapping: from.home.mapping,
    ...(wanted.tree !== undefined && { tree: wanted.tree }),
  };
  const job = start<Unpacked>('unpack-worker', input, { warn: from.home.warn, signal: both });
  job.result.catch(() => undefined);
  try {
    await receive(chunks, { blob, descriptor, job });
    const unpacked = await job.result;
    checkDiffId(layer, unpacked.diffId);
    blob.keep(descriptor.digest);
    return unpacked;
  } catch (error) {
    stop.abort(error);
    await job.result.catch(() => undefined);
    if (wanted.tree !== undefined) removeTree(wanted.tree);
    throw error;
  } finally {
    blob.abandon();
  }
}

/** Unpacks a file of the store, a blob or a tar. */
export async function unpackFile(
  home: Home,
  input: { readonly file: string; readonly tree?: string | undefined },
  signal?: AbortSignal,
): Promise<Unpacked> {
  const { file, tree } = input;
  const full: UnpackInput = {
    file,
    growing: false,
    mapping: home.mapping,
    ...(tree !== undefined && { tree }),
  };
  const job = start<Unpacked>('unpack-worker', full, { warn: home.warn, signal });
  try {
    return await job.result;
  } catch (error) {
    if (tree !== undefined) removeTree(tree);
    throw error;
  }
}

/** The bytes as they pass, with their digest checked at the end. */
export async function* checkedTar(layer: Layer, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const hash = hasher();
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
  checkDiffId(layer, finish(hash));
}

export function checkDiffId(layer: Layer, got: string): void {
  if (got === layer.diffId) return;
  throw new BuildError('digest-mismatch', `the content of layer ${layer.diffId} is that of ${got}`, {
    hint: 'The image is inconsistent: its configuration names another layer than its manifest. Pull it anew.',
  });
}

function descriptorOf(layer: Layer): Descriptor {
  if (layer.descriptor !== undefined) return layer.descriptor;
  throw new BuildError('not-found', `the layer ${layer.diffId} is no longer in the store`, {
    hint: 'Build again with --no-cache, so that the step that made it runs again.',
  });
}

/** Bytes beyond the announced size end the transfer; a failure of the worker waits for the digest's verdict. */
async function receive(
  chunks: AsyncIterable<Buffer>,
  to: { readonly blob: BlobWriter; readonly descriptor: Descriptor; readonly job: Job<unknown> },
): Promise<void> {
  let told = 0;
  const tell = (end: boolean): void => {
    told = to.blob.size;
    to.job.tell({ size: told, end } satisfies Growth);
  };
  for await (const chunk of chunks) {
    to.blob.write(chunk);
    if (to.blob.size > to.descriptor.size) break;
    if (to.blob.size - told >= toldEvery) tell(false);
  }
  to.blob.end(to.descriptor);
  tell(true);
}
