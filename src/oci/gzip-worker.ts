import { parentPort } from 'node:worker_threads';
import { compressBlock, type GzipBlock } from './gzip-block.ts';

/** Worker thread of `gzip-pool.ts`: a block in, the compressed block out; both are moved, not copied. */
parentPort!.on('message', (block: GzipBlock) => {
  const done = compressBlock(block);
  parentPort!.postMessage(done, [done.bytes.buffer as ArrayBuffer]);
});
