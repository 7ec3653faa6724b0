import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { BuildError, errnoOf } from '../core/errors.ts';
import type { Compression } from '../core/types.ts';

const outputBytes = 256 * 1024;

/** How bytes are compressed, by their first ones; at least four are needed where there are so many. */
export function compressionByMagic(start: Buffer): Compression {
  if (start.length >= 2 && start.readUInt16BE(0) === 0x1f8b) return 'gzip';
  if (start.length < 4) return 'uncompressed';
  const magic = start.readUInt32LE(0);
  // A zstd stream may also begin with a skippable frame.
  return magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50 ? 'zstd' : 'uncompressed';
}

/**
 * The plain bytes of a stream that is gzip (of one member or several), zstd or plain already, told by its first
 * bytes. Data that is damaged or cut short throws BuildError `layer`; zeros after the end of gzip are let pass.
 * Inflating runs in Node's own thread pool, beside whatever the caller does with the chunks.
 */
export async function* inflate(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const iterator = source[Symbol.asyncIterator]();
  const start = await readStart(iterator);
  const whole = resume(start, iterator);
  const kind = compressionByMagic(start);
  try {
    if (kind === 'gzip') yield* through(whole, zlib.createGunzip({ chunkSize: outputBytes }));
    else if (kind === 'zstd') yield* unzstd(whole);
    else yield* whole;
  } catch (error) {
    throw isDataError(error) ? damaged(kind, error) : error;
  }
}

/** What node:zlib has from Node 22.15 on. */
interface ZstdZlib {
  readonly createZstdDecompress?: (options: zlib.ZlibOptions) => zlib.Gunzip;
}

class DataError extends Error {}

async function readStart(iterator: AsyncIterator<Buffer>): Promise<Buffer> {
  let start: Buffer = Buffer.alloc(0);
  while (start.length < 4) {
    const next = await iterator.next();
    if (next.done === true) break;
    start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
  }
  return start;
}

async function* resume(start: Buffer, iterator: AsyncIterator<Buffer>): AsyncIterable<Buffer> {
  try {
    if (start.length > 0) yield start;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

async function* through(source: AsyncIterable<Buffer>, inflater: zlib.Gunzip): AsyncIterable<Buffer> {
  const from = Readable.from(source, { objectMode: false, highWaterMark: 2 ** 20 });
  from.on('error', (error) => inflater.destroy(error));
  from.pipe(inflater);
  try {
    yield* inflater as AsyncIterable<Buffer>;
  } finally {
    from.destroy();
    inflater.destroy();
  }
}

function unzstd(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const create = (zlib as unknown as ZstdZlib).createZstdDecompress;
  return create === undefined ? unzstdInScript(source) : through(source, create({ chunkSize: outputBytes }));
}

/** For a Node without zstd. */
async function* unzstdInScript(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let out: Buffer[] = [];
  const decoder = new Decompress((data) => out.push(Buffer.from(data)));
  const push = (chunk: Uint8Array, isLast: boolean): Buffer[] => {
    out = [];
    try {
      decoder.push(chunk, isLast);
    } catch (cause) {
      throw new DataError('zstd', { cause });
    }
    return out;
  };
  for await (const chunk of source) yield* push(chunk, false);
  yield* push(new Uint8Array(0), true);
}

function isDataError(error: unknown): boolean {
  return error instanceof DataError || /^(?:Z_|ZSTD_|ERR_ZSTD)/.test(errnoOf(error) ?? '');
}

function damaged(kind: Compression, cause: unknown): BuildError {
  return new BuildError('layer', `the ${kind} data is damaged or cut short`, {
    cause,
    hint: 'Fetch or make it again.',
  });
}
