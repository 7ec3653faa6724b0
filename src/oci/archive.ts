import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import { hexOf } from '../core/digest.ts';
import type { ImageConfig } from '../core/types.ts';
import { parseConfig } from './config.ts';
import { blobsOf, encodeIndex, entriesOf } from './layout.ts';
import { layoutFile } from './layout-folder.ts';
import { type BlobSource, blobBytes, type Packed, type PackedImage } from './packed.ts';
import { formatReference, parseReference } from './reference.ts';

/** Writes images or indexes as an OCI archive, a layout in a tar, to `out` and ends it. Equal images give equal bytes. */
export async function writeOciArchive(out: Writable, images: readonly Packed[]): Promise<void> {
  await writeTar(out, async (tar) => {
    await addBytes(tar, 'oci-layout', Buffer.from(layoutFile));
    const blobs = new Map(images.flatMap(blobsOf).map((blob) => [blob.descriptor.digest, blob]));
    await addFolders(tar, ['blobs/', 'blobs/sha256/']);
    for (const [digest, blob] of blobs) await addBlob(tar, `blobs/sha256/${hexOf(digest)}`, blob);
    await addBytes(tar, 'index.json', encodeIndex(images.flatMap(entriesOf)));
  });
}

/**
 * Writes images as `docker save` does and `docker load` takes them: configurations and layers by name, and a
 * `manifest.json` that says which belongs where. Layers may be compressed or not.
 */
export async function writeDockerArchive(out: Writable, images: readonly PackedImage[]): Promise<void> {
  await writeTar(out, async (tar) => {
    const blobs = new Map(images.flatMap(dockerBlobs));
    for (const [name, blob] of blobs) await addBlob(tar, name, blob);
    await addBytes(tar, 'manifest.json', Buffer.from(JSON.stringify(images.map(dockerEntry))));
  });
}

function dockerBlobs(image: PackedImage): [string, BlobSource][] {
  const config = blobsOf(image).find((blob) => blob.content === image.config)!;
  return [
    ...image.layers.map((blob, i): [string, BlobSource] => [layerName(image, i), blob]),
    [`${hexOf(config.descriptor.digest)}.json`, config],
  ];
}

function dockerEntry(image: PackedImage): object {
  const config = blobsOf(image).find((blob) => blob.content === image.config)!;
  return {
    Config: `${hexOf(config.descriptor.digest)}.json`,
    RepoTags: image.names.flatMap(repoTag),
    Layers: image.layers.map((_, i) => layerName(image, i)),
  };
}

/** The full name, as skopeo writes it: podman would take a short one for `localhost/…`. A digest is no tag. */
function repoTag(name: string): string[] {
  const { host, repository, tag } = parseReference(name);
  return tag === undefined ? [] : [formatReference({ host, repository, tag })];
}

/** Layers are named by their diffId, as readers of such archives expect. */
function layerName(image: PackedImage, index: number): string {
  const config: ImageConfig = parseConfig(image.config);
  return `${hexOf(config.rootfs.diff_ids[index]!)}.tar`;
}

async function writeTar(out: Writable, fill: (tar: Pack) => Promise<void>): Promise<void> {
  const tar = pack();
  const written = pipeline(tar, out);
  // Met below; a failure of `fill` must not leave it unhandled.
  written.catch(() => {});
  try {
    await fill(tar);
    tar.finalize();
  } catch (error) {
    tar.destroy(error as Error);
    await written.catch(() => {});
    throw error;
  }
  await written;
}

/** Headers say the same on every machine and at every time. */
const fixed = { mtime: new Date(0), uid: 0, gid: 0, uname: '', gname: '' };

async function addFolders(tar: Pack, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await settled((done) => tar.entry({ ...fixed, name, type: 'directory', mode: 0o755 }, done));
  }
}

async function addBytes(tar: Pack, name: string, bytes: Buffer): Promise<void> {
  await settled((done) => tar.entry({ ...fixed, name, mode: 0o644 }, bytes, done));
}

async function addBlob(tar: Pack, name: string, blob: BlobSource): Promise<void> {
  const size = blob.descriptor.size;
  if (Buffer.isBuffer(blob.content)) return addBytes(tar, name, blob.content);
  const ended = settledEntry();
  const entry = tar.entry({ ...fixed, name, mode: 0o644, size }, ended.done);
  try {
    await pipeline(blobBytes(blob), entry as unknown as Writable);
  } catch (error) {
    ended.promise.catch(() => {});
    throw error;
  }
  await ended.promise;
}

type Done = (error?: Error | null) => void;

function settledEntry(): { promise: Promise<void>; done: Done } {
  let done: Done = () => {};
  const promise = new Promise<void>((resolve, reject) => {
    done = (error) => (error ? reject(error) : resolve());
  });
  return { promise, done };
}

async function settled(start: (done: Done) => unknown): Promise<void> {
  const { promise, done } = settledEntry();
  start(done);
  await promise;
}
