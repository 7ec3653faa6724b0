import { closeSync, constants, openSync, readSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { pathOf } from '../../src/core/bytes.ts';
import { type Digest, finish, hasher } from '../../src/core/digest.ts';
import { BuildError, type ErrorCode, errnoOf } from '../../src/core/errors.ts';
import { workerFile } from '../../src/core/worker.ts';
import type { ContextFile } from './context.ts';

/** More bytes than this are hashed in a worker thread, so that the event loop stays free. */
const WORKER_BYTES = 32 << 20;
const SLICE_BYTES = 4 << 20;

/** One file that a worker is asked to hash. */
export interface HashRequest {
  readonly path: string;
  readonly absolute: string;
}
export type HashReply =
  | { readonly digests: readonly Digest[] }
  | { readonly code: ErrorCode; readonly message: string };

/** Reads the files and returns the digest of each, by path. Fails with `context` where one cannot be read. */
export async function hashFiles(files: readonly ContextFile[]): Promise<Map<string, Digest>> {
  const requests = files.map(({ entry, absolute }) => ({ path: entry.path, absolute }));
  const bytes = files.reduce((sum, { entry }) => sum + entry.size, 0);
  const digests = bytes < WORKER_BYTES ? requests.map(hashFile) : await inWorker(requests);
  return new Map(requests.map(({ path }, i) => [path, digests[i]!]));
}

/** The digest of a file's content; a link is not followed. */
export function hashFile({ path, absolute }: HashRequest): Digest {
  try {
    const fd = openSync(pathOf(absolute), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return digestOfDescriptor(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const gone = errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP';
    throw new BuildError('context', `cannot read "${path}" of the build context`, {
      cause: error,
      hint: gone
        ? 'It changed while it was read: try again.'
        : 'Make it readable, or add it to the ignore file.',
    });
  }
}

let slice: Buffer | undefined;

function digestOfDescriptor(fd: number): Digest {
  slice ??= Buffer.allocUnsafeSlow(SLICE_BYTES);
  const hash = hasher();
  for (;;) {
    const count = readSync(fd, slice, 0, slice.length, null);
    if (count === 0) return finish(hash);
    hash.update(slice.subarray(0, count));
  }
}

function inWorker(requests: readonly HashRequest[]): Promise<readonly Digest[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerFile('hash-worker'), { workerData: requests });
    worker.once('message', (reply: HashReply) => {
      if ('digests' in reply) resolve(reply.digests);
      else reject(new BuildError(reply.code, reply.message));
    });
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the hash worker ended with ${code}`)));
  });
}
