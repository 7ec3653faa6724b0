import { spawn } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pathOf } from '../../src/core/bytes.ts';
import { BuildError, errnoOf } from '../../src/core/errors.ts';
import type { Entry } from '../../src/core/types.ts';
import { inflate } from '../../src/oci/inflate.ts';
import { blockSize, isIntact } from '../../src/oci/tar-header.ts';
import { TarReader } from '../../src/oci/tar-read.ts';
import type { ContextFile } from './context.ts';

const chunkBytes = 256 * 1024;

/**
 * Opens a file as a tar, plain or compressed with gzip, bzip2, xz or zstd, told by its content alone: undefined where
 * the first header does not parse (containerfile §2, "ADD tar"). bzip2 and xz need the program of that name.
 */
export async function openArchive(path: string): Promise<AsyncIterable<Buffer> | undefined> {
  const chunks = decompressed(path)[Symbol.asyncIterator]();
  let head: Buffer;
  try {
    head = await take(chunks, blockSize);
  } catch (error) {
    if (error instanceof BuildError && error.code === 'context') throw error;
    return undefined;
  }
  if (head.length >= blockSize && isIntact(head, 0)) return joined(head, chunks);
  await chunks.return?.(undefined);
  return undefined;
}

/**
 * Reads an archive into `folder`, a private one: contents become numbered files there, names and links stay in the
 * entries, so nothing that an archive says can lead anywhere. Entries come in the archive's order; hard links name
 * the file that holds their content. What an archive says with whiteouts is left out.
 */
export async function unpack(archive: AsyncIterable<Buffer>, folder: string): Promise<ContextFile[]> {
  mkdirSync(folder, { recursive: true });
  const spool = new Spool(folder);
  try {
    const reader = new TarReader(spool);
    for await (const chunk of archive) reader.write(chunk);
    reader.finish();
  } finally {
    spool.close();
  }
  return spool.files;
}

class Spool {
  readonly files: ContextFile[] = [];
  readonly #byPath = new Map<string, ContextFile>();
  readonly #folder: string;
  #fd: number | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  entry(entry: Entry): void {
    this.close();
    if (entry.type === 'whiteout' || entry.type === 'opaque') return;
    const file = entry.type === 'hardlink' ? this.#linkTo(entry) : this.#fileFor(entry);
    this.files.push(file);
    this.#byPath.set(entry.path, file);
  }

  data(chunk: Buffer): void {
    if (this.#fd !== undefined) writeSync(this.#fd, chunk);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #fileFor(entry: Entry): ContextFile {
    if (entry.type !== 'file') return { entry, absolute: '' };
    const absolute = join(this.#folder, String(this.files.length));
    this.#fd = openSync(absolute, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    return { entry, absolute, sameFile: String(this.files.length) };
  }

  #linkTo(entry: Entry): ContextFile {
    const target = this.#byPath.get(entry.link ?? '');
    if (target === undefined) {
      throw new BuildError(
        'context',
        `the archive links "${entry.path}" to "${entry.link}", which it does not hold`,
      );
    }
    return { ...target, entry: { ...target.entry, path: entry.path } };
  }
}

/** The bytes of a file, decompressed where its first bytes say that it is compressed. */
async function* decompressed(path: string): AsyncGenerator<Buffer> {
  const magic = firstBytes(path, 6).toString('latin1');
  if (magic.startsWith('BZh')) return yield* throughProgram('bzip2', path);
  if (magic === '\xfd7zXZ\0') return yield* throughProgram('xz', path);
  yield* inflate(chunksOf(path));
}

/** Every chunk is a buffer of its own: whoever inflates may still hold the one before. */
async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  const fd = openSync(pathOf(path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const length = readSync(fd, chunk, 0, chunkBytes, null);
      if (length === 0) return;
      yield chunk.subarray(0, length);
    }
  } finally {
    closeSync(fd);
  }
}

async function* throughProgram(program: string, path: string): AsyncGenerator<Buffer> {
  const fd = openSync(pathOf(path), constants.O_RDONLY | constants.O_NOFOLLOW);
  const child = spawn(program, ['-dc'], { stdio: [fd, 'pipe', 'ignore'] });
  closeSync(fd);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(cannotRun(program, error)));
    child.once('close', resolve);
  });
  ended.catch(() => {});
  try {
    yield* child.stdout as Readable;
    const code = await ended;
    if (code !== 0) throw new Error(`${program} ended with ${code}`);
  } finally {
    child.kill();
  }
}

function cannotRun(program: string, error: Error): Error {
  if (errnoOf(error) !== 'ENOENT') return error;
  return new BuildError('context', `unpacking this archive needs the program "${program}"`, {
    cause: error,
    hint: `Install ${program}, or compress the archive with gzip.`,
  });
}

function firstBytes(path: string, length: number): Buffer {
  const fd = openSync(pathOf(path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const head = Buffer.alloc(length);
    return head.subarray(0, readSync(fd, head, 0, length, 0));
  } finally {
    closeSync(fd);
  }
}

/** At least `length` bytes, fewer only at the end. */
async function take(chunks: AsyncIterator<Buffer>, length: number): Promise<Buffer> {
  const taken: Buffer[] = [];
  for (let size = 0; size < length; ) {
    const next = await chunks.next();
    if (next.done === true) break;
    taken.push(next.value);
    size += next.value.length;
  }
  return Buffer.concat(taken);
}

async function* joined(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
