import { createReadStream } from 'node:fs';

/** A blob to send: bytes, or the absolute path of a file of exactly the descriptor's size. */
export type BlobSource = Buffer | string;

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
  return createReadStream(source, { start: from, end: to - 1, highWaterMark: 1 << 20 });
}
