import { createReadStream, lstatSync, rmSync, statSync } from 'node:fs';
import { mkdir, open as openFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { BuildError, errnoOf } from '../../src/core/errors.ts';
import type { FetchBlob } from '../../src/core/store.ts';
import type { Descriptor } from '../../src/core/types.ts';
import { encodeIndex } from '../../src/oci/layout.ts';
import { findBlob, placeBlob, tagsOf, writeIndex } from '../../src/oci/layout-folder.ts';
import { refName } from '../../src/oci/layout-read.ts';
import { sweepLayout } from '../../src/oci/layout-sweep.ts';
import { maxManifestBytes } from '../../src/oci/manifest.ts';
import type { BlobSource } from '../../src/oci/packed.ts';
import { type Lock, lockFolder } from '../lock.ts';
import { type CachePlace, folderHost } from './place.ts';

export interface FolderSite {
  /** Absolute path. */
  readonly folder: string;
  readonly tag: string;
  /** The manifest to read, where it is not the tag's. */
  readonly digest?: Digest | undefined;
}

/**
 * A cache as an OCI layout in a folder; other caches may be in it under other tags. Whoever writes holds a lock; with
 * the manifest in place, blobs that nothing needs any more are taken away.
 */
export function folderPlace({ folder, tag, digest }: FolderSite): CachePlace {
  const writing = new Writing(folder);
  return {
    name: folder,
    origin: { host: folderHost, repository: folder },
    manifest: (member) =>
      readable(folder, async () => {
        const wanted = member ?? digest ?? (await tagged(folder, tag));
        return wanted && (await manifestIn(folder, wanted));
      }),
    fetch: fetchFromFolder,
    async put({ descriptor, open }, signal) {
      await writing.begin(signal);
      if (hasWhole(folder, descriptor)) return { descriptor, how: 'exists' };
      const source = await open();
      await writable(folder, () => placeBlob(folder, copied(source)));
      return { descriptor: source.descriptor, how: 'done' };
    },
    async commit(manifest, signal) {
      await writing.begin(signal);
      const { bytes, descriptor } = manifest;
      const entry = { ...descriptor, annotations: { [refName]: tag } };
      await writable(folder, async () => {
        await placeBlob(folder, { descriptor, content: bytes });
        await writeIndex(folder, encodeIndex([entry], await tagsOf(folder)));
        await sweepLayout(folder);
      });
    },
    [Symbol.asyncDispose]: async () => writing.end(),
  };
}

/** Blobs of caches in folders, by the folder that stands in their origin. */
export const fetchFromFolder: FetchBlob = async ([origin], { digest }, signal) => {
  const folder = origin?.repository ?? '';
  const path = findBlob(folder, digest);
  if (path === undefined) throw new BuildError('not-found', `the cache ${folder} lacks the blob ${digest}`);
  const file = await readable(folder, () => openFile(path));
  return file.createReadStream({ highWaterMark: 1 << 20, ...(signal && { signal }) });
};

async function manifestIn(folder: string, digest: Digest): Promise<Buffer | undefined> {
  const path = findBlob(folder, digest);
  if (path === undefined) return undefined;
  if (statSync(path).size > maxManifestBytes)
    throw new BuildError('image', 'its manifest is larger than 4 MiB');
  const bytes = await readFile(path);
  if (digestOf(bytes) !== digest) throw damaged(folder, digest);
  return bytes;
}

/** Whether a blob is there; what was cut short on its way makes room. */
function hasWhole(folder: string, { digest, size }: Descriptor): boolean {
  const path = findBlob(folder, digest);
  if (path === undefined) return false;
  if (statSync(path).size === size) return true;
  rmSync(path);
  return false;
}

/** Bytes of our own store are copied: others may read what travels, and whoever changes it changes nothing here. */
function copied({ descriptor, content }: BlobSource): BlobSource {
  if (typeof content !== 'string') return { descriptor, content };
  return { descriptor, content: () => createReadStream(content, { highWaterMark: 1 << 20 }) };
}

/** The lock of one export into a folder. */
class Writing {
  readonly #folder: string;
  #lock: Promise<Lock> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async begin(signal: AbortSignal | undefined): Promise<void> {
    this.#lock ??= writable(this.#folder, async () => {
      await mkdir(this.#folder, { recursive: true });
      checkPlain(this.#folder);
      return await lockFolder(this.#folder, signal);
    });
    await this.#lock;
  }

  async end(): Promise<void> {
    const held = await this.#lock?.catch(() => undefined);
    held?.release();
  }
}

/** A folder that came from elsewhere must not lead to others: blobs are written to it, and taken away. */
function checkPlain(folder: string): void {
  for (const name of ['blobs', 'blobs/sha256']) {
    if (lstatSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory() !== false) continue;
    throw new BuildError('output', `the cache cannot be written to ${folder}: ${name} in it is no folder`, {
      hint: 'Remove the folder, or name another one.',
    });
  }
}

async function tagged(folder: string, tag: string): Promise<Digest | undefined> {
  const entries = await tagsOf(folder);
  return entries.find(({ annotations }) => annotations?.[refName] === tag)?.digest;
}

/** A folder that cannot be written is the person's to mend. */
async function writable<T>(folder: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined || error instanceof BuildError) throw error;
    throw new BuildError('output', `the cache cannot be written to ${folder} (${code})`, { cause: error });
  }
}

/** A folder that cannot be read is no cache, and no failure of ours. */
async function readable<T>(folder: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined || error instanceof BuildError) throw error;
    throw new BuildError('not-found', `the cache ${folder} cannot be read (${code})`, { cause: error });
  }
}

function damaged(folder: string, digest: Digest): BuildError {
  return new BuildError('digest-mismatch', `the manifest ${digest} of the cache ${folder} is damaged`, {
    hint: 'Remove the folder; the next build with --cache-to makes it anew.',
  });
}
