import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { parentOf } from '../../builder/path-resolve.ts';
import { LayeredView } from '../../builder/view.ts';
import { bytesOf } from '../core/bytes.ts';
import { BuildError, errnoOf } from '../core/errors.ts';
import type { Layers } from '../core/store.ts';
import type { Entry, Image } from '../core/types.ts';
import { type ExportedFile, filesOf } from './filesystem.ts';

/**
 * Writes the image's files into a folder (`-o DIR`), owned by the person: what stands there under the same names is
 * replaced, the rest stays. Links are written, never followed; devices are left out, which the result tells.
 */
export async function writeLocal(
  image: Image,
  folder: string,
  { layers, signal }: { readonly layers: Layers; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const skipped: string[] = [];
  const directories: Entry[] = [];
  const made = new Set<string>(['']);
  guarded(folder, () => mkdirSync(folder, { recursive: true }));
  const view = LayeredView.of(image.layers, layers, signal);
  for await (const file of filesOf(view, layers, signal)) {
    const { type, path } = file.entry;
    if (type === 'char' || type === 'block' || type === 'fifo') skipped.push(path);
    else if (type === 'dir') directories.push(file.entry);
    if (type !== 'char' && type !== 'block' && type !== 'fifo')
      guarded(path, () => place(file, folder, made));
  }
  for (const { path, mode, mtime } of directories.toReversed()) {
    chmodSync(inside(folder, path), mode & 0o777);
    utimesSync(inside(folder, path), mtime, mtime);
  }
  return skipped;
}

function place({ entry, content }: ExportedFile, folder: string, made: Set<string>): void {
  const target = inside(folder, entry.path);
  makeFolder(parentOf(entry.path), folder, made);
  if (entry.type === 'dir') makeFolder(entry.path, folder, made);
  else rmSync(target, { force: true, recursive: true });
  if (entry.type === 'symlink') symlinkSync(bytesOf(entry.link ?? ''), target);
  if (entry.type === 'hardlink') linkSync(inside(folder, entry.link ?? ''), target);
  if (entry.type === 'file') placeFile(entry, content, target);
}

function placeFile(entry: Entry, content: string | Buffer | undefined, target: string | Buffer): void {
  copyFileSync(content ?? '/dev/null', target, content === undefined ? 0 : constants.COPYFILE_FICLONE);
  chmodSync(target, entry.mode & 0o777);
  utimesSync(target, entry.mtime, entry.mtime);
}

/** The folders that lead to a path are ours: an image may hold a link and files that stand below it all the same. */
function makeFolder(path: string, folder: string, made: Set<string>): void {
  if (made.has(path)) return;
  makeFolder(parentOf(path), folder, made);
  makeDirectory(inside(folder, path));
  made.add(path);
}

/** A directory that may be there; a link or file in its place is replaced. */
function makeDirectory(path: string | Buffer): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return;
  if (stat !== undefined) rmSync(path, { force: true });
  mkdirSync(path, { recursive: true, mode: 0o755 });
}

function inside(folder: string, path: string): string | Buffer {
  return path.isWellFormed() ? join(folder, path) : Buffer.concat([Buffer.from(`${folder}/`), bytesOf(path)]);
}

function guarded(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    const full = errnoOf(error) === 'ENOSPC';
    throw new BuildError(
      full ? 'disk-full' : 'output',
      `the file ${path} cannot be written (${errnoOf(error)})`,
      {
        cause: error,
        hint: full
          ? 'Free some space, or choose another folder with -o.'
          : 'Choose an empty folder that you may write to.',
      },
    );
  }
}
