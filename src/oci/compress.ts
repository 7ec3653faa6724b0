import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { BuildError } from '../core/errors.ts';
import type { Compression } from '../core/types.ts';
import { crcCombiner } from './crc.ts';
import {
  blockBytes,
  type CompressedBlock,
  compressBlock,
  type GzipBlock,
  windowBytes,
} from './gzip-block.ts';
import { GzipPool } from './gzip-pool.ts';

export interface CompressOptions {
  readonly signal?: AbortSignal | undefined;
  /** Worker threads of its own for this call; without it, all calls share as many as there are cores. */
  readonly workers?: number;
  /** How much is tried to make it small: 0 to 9 with gzip, 1 to 22 with zstd; ours where it is absent. */
  readonly level?: number | undefined;
}

/** Compresses a layer's tar. The bytes depend on the input alone. Throws `usage` for zstd where Node has none. */
export function compress(
  source: AsyncIterable<Buffer>,
  compression: Compression,
  options: CompressOptions = {},
): AsyncIterable<Buffer> {
  if (compression === 'gzip') return gzip(source, options);
  return compression === 'zstd' ? zstd(source, options) : source;
}

/** No flags, no time, "fastest algorithm", unknown system (RFC 1952). */
const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff]);
/** An empty last block of deflate. */
const lastBlock = [3, 0];

let sharedPool: GzipPool | undefined;

/**
 * gzip on all cores: blocks of fixed size are deflated by themselves, each with the end of the one before as its
 * dictionary, and joined to one member, which every reader reads. The bytes do not depend on the number of workers.
 */
export async function* gzip(
  source: AsyncIterable<Buffer>,
  { signal, workers, level }: CompressOptions = {},
): AsyncIterable<Buffer> {
  sharedPool ??= new GzipPool();
  const pool = workers === undefined ? sharedPool : new GzipPool(workers);
  try {
    yield gzipHeader;
    yield* gzipBlocks(source, pool, { signal, level });
  } finally {
    if (pool !== sharedPool) await pool.close();
  }
}

async function* gzipBlocks(
  source: AsyncIterable<Buffer>,
  pool: GzipPool,
  { signal, level }: Pick<CompressOptions, 'signal' | 'level'>,
): AsyncIterable<Buffer> {
  const total = new Total();
  const pending: { length: number; done: Promise<CompressedBlock> }[] = [];
  const take = async (): Promise<Buffer> => {
    const { length, done } = pending.shift()!;
    const block = await done;
    signal?.throwIfAborted();
    total.add(block.crc, length);
    return Buffer.from(block.bytes.buffer, block.bytes.byteOffset, block.bytes.byteLength);
  };
  let first = true;
  for await (const { block: cutOff, isLast } of cut(source, pool)) {
    const block = { ...cutOff, level };
    const length = block.bytes.length - block.before;
    const done = first && isLast ? Promise.resolve(compressBlock(block)) : pool.compress(block);
    // A failure is met when its turn comes; until then it must not count as unhandled.
    done.catch(() => {});
    pending.push({ length, done });
    first = false;
    if (pending.length > 2 * pool.width) yield await take();
  }
  while (pending.length > 0) yield await take();
  yield total.trailer();
}

/** CRC and length of what the finished blocks held. */
class Total {
  #crc = 0;
  #length = 0;
  #wholeBlock = crcCombiner(blockBytes);

  add(crc: number, length: number): void {
    const combine = length === blockBytes ? this.#wholeBlock : crcCombiner(length);
    this.#crc = combine(this.#crc, crc);
    this.#length = (this.#length + length) % 2 ** 32;
  }

  trailer(): Buffer {
    const bytes = Buffer.from([...lastBlock, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.writeUInt32LE(this.#crc, 2);
    bytes.writeUInt32LE(this.#length, 6);
    return bytes;
  }
}

/** Cuts a stream into blocks, each in memory of its own with the end of the one before in front; none is empty. */
async function* cut(
  source: AsyncIterable<Buffer>,
  pool: GzipPool,
): AsyncIterable<{ block: GzipBlock; isLast: boolean }> {
  let bytes = Buffer.from(pool.memory(), 0, blockBytes);
  let before = 0;
  let filled = 0;
  for await (const chunk of source) {
    let at = 0;
    while (at < chunk.length) {
      if (filled === bytes.length) {
        const next = Buffer.from(pool.memory());
        bytes.copy(next, 0, filled - windowBytes);
        yield { block: { bytes, before }, isLast: false };
        bytes = next;
        before = windowBytes;
        filled = windowBytes;
      }
      const copied = chunk.copy(bytes, filled, at);
      at += copied;
      filled += copied;
    }
  }
  if (filled > before) yield { block: { bytes: bytes.subarray(0, filled), before }, isLast: true };
}

/** What node:zlib has from Node 22.15 on. */
interface ZstdZlib {
  readonly createZstdCompress?: (options?: {
    readonly params: Readonly<Record<number, number>>;
  }) => zlib.Gzip;
}

/** True where this Node can make zstd. */
export function hasZstd(): boolean {
  return (zlib as unknown as ZstdZlib).createZstdCompress !== undefined;
}

/** ZSTD_c_compressionLevel (zstd.h). */
const levelParameter = 100;

function zstd(source: AsyncIterable<Buffer>, { signal, level }: CompressOptions): AsyncIterable<Buffer> {
  const create = (zlib as unknown as ZstdZlib).createZstdCompress;
  if (create === undefined) {
    throw new BuildError('usage', `Node ${process.versions.node} cannot make zstd layers`, {
      hint: 'Use gzip, or run tsbuild with Node 22.15 or newer.',
    });
  }
  const from = Readable.from(source, { objectMode: false });
  const to = level === undefined ? create() : create({ params: { [levelParameter]: level } });
  from.on('error', (error) => to.destroy(error));
  signal?.addEventListener('abort', () => to.destroy(signal.reason as Error), { once: true });
  return from.pipe(to);
}
