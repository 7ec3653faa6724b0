import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { LayeredView } from '../../builder/view.ts';
import { bytesOf, pathOf } from '../core/bytes.ts';
import type { Layers } from '../core/store.ts';
import type { Entry, Image } from '../core/types.ts';
import { headerOf, paddingOf, trailer } from '../oci/tar-write.ts';

/**
 * The image's files as one tar, without its layers' whiteouts: `-o type=tar`, and what `type=local` unpacks. Entries
 * come parents first, in path order; names of one file within a layer stay hard links.
 */
export async function* filesystemTar(
  image: Image,
  layers: Layers,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const view = LayeredView.of(image.layers, layers, signal);
  for await (const { entry, content } of filesOf(view, layers, signal)) {
    yield headerOf(entry);
    if (content === undefined) continue;
    for await (const chunk of createReadStream(content, { highWaterMark: 1 << 20 })) yield chunk as Buffer;
    yield paddingOf(entry.size);
  }
  yield trailer;
}

/** A file of the image as it goes out; `content` is the path of its bytes where it has any. */
export interface ExportedFile {
  readonly entry: Entry;
  readonly content?: string | Buffer;
}

/** Every entry of the image's root filesystem with the place of its bytes. */
export async function* filesOf(
  view: LayeredView,
  layers: Layers,
  signal: AbortSignal,
): AsyncGenerator<ExportedFile> {
  const first = new Map<string, string>();
  for (const entry of await view.walk('')) {
    signal.throwIfAborted();
    if (entry.type !== 'file') {
      yield { entry };
      continue;
    }
    const { layer, path } = view.placeOf(entry);
    const key = `${layer.diffId}/${path}`;
    const known = first.get(key);
    if (known !== undefined) yield { entry: { ...entry, type: 'hardlink', size: 0, link: known } };
    else
      yield {
        entry,
        ...(entry.size > 0 && { content: contentPath(await layers.tree(layer, signal), path) }),
      };
    first.set(key, known ?? entry.path);
  }
}

function contentPath(tree: string, path: string): string | Buffer {
  const name = pathOf(path);
  return typeof name === 'string' ? join(tree, name) : Buffer.concat([bytesOf(`${tree}/`), name]);
}
