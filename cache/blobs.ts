import {
  closeSync,
  createReadStream,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { type Digest, digestOf, finish, hasher, hexOf } from '../src/core/digest.ts';
import { BuildError, errnoOf } from '../src/core/errors.ts';
import type { Blobs } from '../src/core/store.ts';
import { guarded, storeError } from './faults.ts';
import type { Home } from './home.ts';
import { discard } from './scratch.ts';

/** Content by digest: one file each, named by the digest's hexadecimal part. */
export function openBlobs(home: Home): Blobs & { readonly writer: () => BlobWriter } {
  const pathOf = (digest: Digest): string => home.path('blobs', hexOf(digest));
  return {
    has: (digest) => statSync(pathOf(digest), { throwIfNoEntry: false }) !== undefined,
    find: (digest) => (home.use(pathOf(digest)) ? pathOf(digest) : undefined),
    size: (digest) => statSync(pathOf(digest), { throwIfNoEntry: false })?.size,
    read: (digest) => guarded(async () => readVerified(home, pathOf(digest), digest)),
    async write(bytes) {
      const digest = digestOf(bytes);
      if (!home.use(pathOf(digest))) home.write(pathOf(digest), bytes);
      return digest;
    },
    writeStream: (chunks, expected) => guarded(() => writeStream(home, chunks, expected)),
    writer: () => new BlobWriter(home),
  };
}

/** What a stored blob whose bytes are not its digest's comes to: out of the way, and a failure. */
export function damaged(home: Home, digest: Digest): BuildError {
  discard(home.tmp, home.path('blobs', hexOf(digest)));
  return new BuildError('digest-mismatch', `the stored blob ${digest} was damaged and has been removed`, {
    hint: 'Run the command again: the blob is fetched or made anew. Check the disk if this happens repeatedly.',
  });
}

/** A stored blob's bytes, unchecked. */
export function readBlob(path: string, signal?: AbortSignal): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: 2 ** 20, ...(signal && { signal }) });
}

/** Whether a stored blob still has the bytes that it is named for. */
export async function isIntact(blob: { readonly path: string; readonly digest: Digest }): Promise<boolean> {
  const hash = hasher();
  for await (const chunk of readBlob(blob.path)) hash.update(chunk);
  return finish(hash) === blob.digest;
}

/** Takes a blob's bytes as they come; nothing is in the store before `commit`. */
export class BlobWriter {
  readonly #home: Home;
  readonly #fd: number;
  readonly #hash = hasher();
  readonly path: string;
  size = 0;
  #open = true;

  constructor(home: Home) {
    this.#home = home;
    this.path = home.temp();
    this.#fd = openSync(this.path, 'wx', 0o600);
  }

  write(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.append(chunk);
  }

  /** Writes bytes whose digest the caller takes itself. */
  append(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) at += writeSync(this.#fd, chunk, at);
    this.size += chunk.length;
  }

  /** Closes the file and returns its digest; with `expected`, other bytes or another size fail. */
  end(expected?: { readonly digest: Digest; readonly size: number }): Digest {
    this.#close();
    const digest = finish(this.#hash);
    if (expected !== undefined) checkBlob({ digest, size: this.size }, expected);
    return digest;
  }

  /** Moves the bytes to their place under `digest`. */
  keep(digest: Digest): void {
    this.#close();
    this.#home.place(this.path, this.#home.path('blobs', hexOf(digest)));
    this.#home.written += this.size;
    this.#home.use(this.#home.path('blobs', hexOf(digest)));
  }

  /** Drops what was written; harmless after `keep`. */
  abandon(): void {
    this.#close();
    try {
      unlinkSync(this.path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }

  #close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }
}

async function writeStream(
  home: Home,
  chunks: AsyncIterable<Buffer>,
  expected?: { readonly digest: Digest; readonly size: number },
): Promise<{ digest: Digest; size: number }> {
  const writer = new BlobWriter(home);
  try {
    for await (const chunk of chunks) {
      writer.write(chunk);
      if (expected !== undefined && writer.size > expected.size)
        throw wrongSize(expected, `more than ${expected.size}`);
    }
    const digest = writer.end(expected);
    writer.keep(digest);
    return { digest, size: writer.size };
  } finally {
    writer.abandon();
  }
}

function checkBlob(
  got: { readonly digest: Digest; readonly size: number },
  expected: { readonly digest: Digest; readonly size: number },
): void {
  if (got.size !== expected.size) throw wrongSize(expected, String(got.size));
  if (got.digest !== expected.digest) {
    throw new BuildError(
      'digest-mismatch',
      `the bytes of blob ${expected.digest} are those of ${got.digest}`,
      {
        hint: 'What was received is not what was named: try again, and check the registry, proxy or mirror.',
        retry: true,
      },
    );
  }
}

function wrongSize(expected: { readonly digest: Digest; readonly size: number }, got: string): BuildError {
  return new BuildError(
    'digest-mismatch',
    `blob ${expected.digest} should have ${expected.size} bytes but has ${got}`,
    { hint: 'The transfer was cut short or altered: try again.', retry: true },
  );
}

function readVerified(home: Home, path: string, digest: Digest): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw storeError(error);
    throw new BuildError('not-found', `the blob ${digest} is not in the store`, { cause: error });
  }
  if (digestOf(bytes) !== digest) throw damaged(home, digest);
  home.use(path);
  return bytes;
}
