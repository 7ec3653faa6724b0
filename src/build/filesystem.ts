import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { LayeredView } from '../../builder/view.ts';
import { bytesOf, pathOf } from '../core/bytes.ts';
import type { Layers } from '../core/store.ts';
import type { Entry, Image } from '../core/types.ts';
import { headerOf, paddingOf, trailer } from '../oci/tar-write.ts';

/** An image and the folder of a tar that its files go to; '' is the top. */
export interface PlacedImage {
  readonly image: Image;
  readonly folder: string;
}

/**
 * The files of images as one tar, without their layers' whiteouts: `-o type=tar`, and what `type=local` unpacks.
 * Entries come parents first, in path order; names of one file within a layer stay hard links.
 */
export async function* filesystemTar(
  images: readonly PlacedImage[],
  layers: Layers,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  for (const { image, folder } of images) {
    const view = LayeredView.of(image.layers, layers, signal);
    if (folder !== '') yield headerOf(folderEntry(folder));
    for await (const { entry, content } of filesOf(view, layers, signal)) {
      yield headerOf(folder === '' ? entry : below(folder, entry));
      if (content === undefined) continue;
      for await (const chunk of createReadStream(content, { highWaterMark: 1 << 20 })) yield chunk as Buffer;
      yield paddingOf(entry.size);
    }
  }
  yield trailer;
}

function folderEntry(path: string): Entry {
  return { path, type: 'dir', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 };
}

/** A hard link names its file by its whole path. */
function below(folder: string, entry: Entry): Entry {
  const path = `${folder}/${entry.path}`;
  return entry.type === 'hardlink' ? { ...entry, path, link: `${folder}/${entry.link}` } : { ...entry, path };
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

/** The bytes of a file of a layer's tree. */
export function contentPath(tree: string, path: string): string | Buffer {
  const name = pathOf(path);
  return typeof name === 'string' ? join(tree, name) : Buffer.concat([bytesOf(`${tree}/`), name]);
}
