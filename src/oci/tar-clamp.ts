import { TarReader } from './tar-read.ts';
import { headerOf, paddingOf, trailer } from './tar-write.ts';

/**
 * The tar with every time later than `epoch` (seconds) set to it. For tars of our own only: the same entries are
 * written anew, which gives the same bytes but for the times.
 */
export async function* clampTar(source: AsyncIterable<Buffer>, epoch: number): AsyncIterable<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  const reader = new TarReader({
    entry: (entry) => {
      size = entry.size;
      parts.push(headerOf(entry.mtime > epoch ? { ...entry, mtime: epoch } : entry));
    },
    data: (chunk) => parts.push(chunk),
    end: () => parts.push(paddingOf(size)),
  });
  for await (const chunk of source) {
    reader.write(chunk);
    // Joined here, while the slices of `chunk` are still valid.
    if (parts.length > 0) yield Buffer.concat(parts);
    parts = [];
  }
  reader.finish();
  yield trailer;
}
