import { parentPort } from 'node:worker_threads';
import { compressBlock, type GzipBlock } from './gzip-block.ts';
import type { Answer } from './gzip-pool.ts';

/** Worker thread of `gzip-pool.ts`: a block in, the compressed block and the block's memory out; all is moved. */
parentPort!.on('message', (block: GzipBlock) => {
  const done = compressBlock(block);
  const spare = block.bytes.buffer as ArrayBuffer;
  parentPort!.postMessage({ done, spare } satisfies Answer, [done.bytes.buffer as ArrayBuffer, spare]);
});
