import { createReadStream } from 'node:fs';

/** A blob to send, of exactly the descriptor's size: bytes, the absolute path of a file, or a stream that can be begun anew. */
export type BlobSource = Buffer | string | (() => AsyncIterable<Buffer>);

/** The bytes of a blob from `from` to before `to`, read anew each time; `onBytes` is told where it has come to. */
export async function* bytesOf(
  source: BlobSource,
  { from, to }: { readonly from: number; readonly to: number },
  onBytes?: (done: number) => void,
): AsyncGenerator<Buffer> {
  let done = from;
  for await (const chunk of chunksOf(source, from, to)) {
    yield chunk;
    done += chunk.length;
    onBytes?.(done);
  }
}

function chunksOf(source: BlobSource, from: number, to: number): Iterable<Buffer> | AsyncIterable<Buffer> {
  if (Buffer.isBuffer(source)) return [source.subarray(from, to)];
  if (typeof source === 'function') return partOf(source(), from, to);
  return createReadStream(source, { start: from, end: to - 1, highWaterMark: 1 << 20 });
}

async function* partOf(chunks: AsyncIterable<Buffer>, from: number, to: number): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, from - at), Math.max(0, to - at));
    at += chunk.length;
    if (part.length > 0) yield part;
    if (at >= to) return;
  }
}
