import { createWriteStream, lstatSync } from 'node:fs';
import { copyFile, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Digest, hexOf } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { Descriptor } from '../core/types.ts';
import { maxManifestBytes, parseManifest } from './manifest.ts';
import { type BlobSource, blobBytes } from './packed.ts';

/** The files of an OCI layout folder (image-spec, image-layout.md), whatever they hold. */

/** The content of the file `oci-layout`. */
export const layoutFile = '{"imageLayoutVersion":"1.0.0"}';

/** The entries of its `index.json`; none where there is no layout yet. */
export async function tagsOf(folder: string): Promise<readonly Descriptor[]> {
  const index = await indexIn(folder);
  if (index === undefined) return [];
  const parsed = parseManifest(index);
  return parsed.kind === 'index' ? parsed.manifests : [];
}

/** The bytes of its `index.json`. A layout may come from anyone: a pipe in the place of its index would keep us waiting for ever. */
export async function indexIn(folder: string): Promise<Buffer | undefined> {
  const path = regularFile(join(folder, 'index.json'));
  if (path === undefined) return undefined;
  if (lstatSync(path).size <= maxManifestBytes) return await readFile(path);
  throw new BuildError('image', `the index.json of ${folder} is larger than 4 MiB`);
}

/** Puts a blob where it belongs, unless it is there: a file is linked where that is possible. */
export async function placeBlob(folder: string, blob: BlobSource): Promise<void> {
  const path = blobPath(folder, blob.descriptor.digest);
  if (regularFile(path) !== undefined) return;
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  await rm(temporary, { force: true });
  try {
    if (typeof blob.content === 'string') await linkOrCopy(blob.content, temporary);
    else await pipeline(blobBytes(blob), createWriteStream(temporary, { flags: 'wx', mode: 0o644 }));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Puts another `index.json` in the place of the one before, in one step; the folder is a layout from then on. */
export async function writeIndex(folder: string, index: Buffer): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeWhole(join(folder, 'oci-layout'), layoutFile);
  await writeWhole(join(folder, 'index.json'), index);
}

/** The path of a blob that is there; no link is followed. */
export function findBlob(folder: string, digest: Digest): string | undefined {
  return regularFile(blobPath(folder, digest));
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    // Another file system, or one without links.
    await copyFile(from, to);
  }
}

async function writeWhole(path: string, content: Buffer | string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  // What a process of the same number left, or somebody put there as a link to elsewhere.
  await rm(temporary, { force: true });
  await writeFile(temporary, content, { flag: 'wx' });
  await rename(temporary, path);
}

function blobPath(folder: string, digest: Descriptor['digest']): string {
  return join(folder, 'blobs', 'sha256', hexOf(digest));
}

/** The path where a regular file is there: no link is followed. */
function regularFile(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true ? path : undefined;
}
