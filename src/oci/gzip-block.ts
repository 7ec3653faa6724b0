import { constants, crc32, deflateRawSync } from 'node:zlib';

/** Bytes of input per block. A constant of the product: the compressed bytes depend on it. */
export const blockBytes = 512 * 1024;
/** Bytes of the previous block that a block may refer to (the window of deflate). */
export const windowBytes = 32 * 1024;

/** Another constant, where nobody asks for another level: a third of the time of level 6 for 5 to 22 % more bytes. */
const usualLevel = 1;
/** And this one: a tenth faster than the default of 8. */
const memLevel = 9;
const sampleBytes = 2048;
const sampleCount = 8;
/** A sample that shrinks by less than this share speaks for a block that does not compress. */
const worthwhile = 0.97;
const maxStoredBytes = 0xffff;

/** A block as it is handed to a worker: `bytes` holds `before` bytes of the previous block, then the block. */
export interface GzipBlock {
  readonly bytes: Uint8Array;
  readonly before: number;
  readonly level?: number | undefined;
}

/** The block as part of a deflate stream, whole bytes long, not the last one; and the CRC-32 of its input. */
export interface CompressedBlock {
  readonly bytes: Uint8Array;
  readonly crc: number;
}

/**
 * Compresses one block. Whether it is stored is decided by the block alone, first by a sample (deflating random
 * bytes to find that out is the slowest case there is), then by the result.
 */
export function compressBlock({ bytes, before, level = usualLevel }: GzipBlock): CompressedBlock {
  const input = bytes.subarray(before);
  const crc = crc32(input);
  if (!looksCompressible(input)) return { bytes: stored(input), crc };
  const deflated = deflateRawSync(input, {
    level,
    memLevel,
    chunkSize: input.length + 1024,
    finishFlush: constants.Z_SYNC_FLUSH,
    ...(before > 0 && { dictionary: bytes.subarray(0, before) }),
  });
  return { bytes: deflated.length < input.length ? movable(deflated) : stored(input), crc };
}

/** Bytes in memory of their own: what is small may lie in memory that Node shares out. */
function movable(bytes: Buffer): Uint8Array {
  return bytes.buffer.byteLength > 2 * Buffer.poolSize ? bytes : new Uint8Array(bytes);
}

function looksCompressible(input: Uint8Array): boolean {
  if (input.length < sampleBytes * sampleCount) return true;
  const step = Math.floor(input.length / sampleCount);
  const samples = Array.from({ length: sampleCount }, (_, i) =>
    input.subarray(i * step, i * step + sampleBytes),
  );
  return (
    deflateRawSync(Buffer.concat(samples), { level: usualLevel }).length <
    sampleBytes * sampleCount * worthwhile
  );
}

/** Stored blocks of deflate (RFC 1951, 3.2.4): a zero byte, the length and its complement, the bytes. */
function stored(input: Uint8Array): Uint8Array {
  const count = Math.ceil(input.length / maxStoredBytes);
  const out = Buffer.from(new ArrayBuffer(input.length + 5 * count));
  for (let from = 0, to = 0; from < input.length; from += maxStoredBytes) {
    const piece = input.subarray(from, from + maxStoredBytes);
    out.writeUInt16LE(piece.length, to + 1);
    out.writeUInt16LE(piece.length ^ 0xffff, to + 3);
    out.set(piece, to + 5);
    to += 5 + piece.length;
  }
  return out;
}
