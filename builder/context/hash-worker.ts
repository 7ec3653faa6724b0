import { parentPort, workerData } from 'node:worker_threads';
import { BuildError } from '../../src/core/errors.ts';
import { type HashReply, type HashRequest, hashFile } from './hash-files.ts';

/** Worker thread: hashes the files named in `workerData`, answers once. */
function answer(requests: readonly HashRequest[]): HashReply {
  try {
    return { digests: requests.map(hashFile) };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return { code: error.code, message: error.message };
  }
}

parentPort!.postMessage(answer(workerData as readonly HashRequest[]));
