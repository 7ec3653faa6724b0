/** Told how many bytes have passed, and of how many where that is known. */
export type Progress = (done: number, total?: number) => void;

/** The same bytes, counted while they pass. */
export async function* counted(
  chunks: AsyncIterable<Buffer>,
  to: { readonly progress: Progress | undefined; readonly total: number | undefined },
): AsyncGenerator<Buffer> {
  let done = 0;
  for await (const chunk of chunks) {
    done += chunk.length;
    to.progress?.(done, to.total);
    yield chunk;
  }
}
