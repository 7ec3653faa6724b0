import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { BuildError } from './errors.ts';

/** Bytes of the longest Containerfile or ignore file that is read: what is longer was not written by anybody. */
export const MOST_TEXT_BYTES = 16 << 20;

/**
 * The text of a file that people write; `name` is what messages call it. Fails with `context` where it is longer than
 * `MOST_TEXT_BYTES`, as a device may be, and with the system's own errors.
 */
export function readText(path: string, name: string): string {
  const fd = openSync(path, 'r');
  try {
    return textOf(slicesOf(fd), name);
  } finally {
    closeSync(fd);
  }
}

/** The same of a file that came with a context: a pipe or a device there would keep us waiting for ever. */
export function readPlainText(path: string, name: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) throw noFile(name);
    return textOf(slicesOf(fd), name);
  } finally {
    closeSync(fd);
  }
}

/** The same of a stream. */
export async function readTextStream(stream: AsyncIterable<Uint8Array>, name: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > MOST_TEXT_BYTES) break;
  }
  return textOf(chunks, name);
}

function textOf(slices: Iterable<Uint8Array>, name: string): string {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (const slice of slices) {
    bytes += slice.length;
    if (bytes > MOST_TEXT_BYTES) throw tooLong(name);
    chunks.push(slice);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function* slicesOf(fd: number): Generator<Uint8Array> {
  for (;;) {
    const slice = Buffer.allocUnsafe(256 << 10);
    const count = readSync(fd, slice, 0, slice.length, null);
    if (count === 0) return;
    yield slice.subarray(0, count);
  }
}

function noFile(name: string): BuildError {
  return new BuildError('context', `${name} is no file`, {
    hint: 'Containerfiles, ignore files and what they include are plain text files.',
  });
}

function tooLong(name: string): BuildError {
  return new BuildError('context', `${name} is longer than ${MOST_TEXT_BYTES >> 20} MB`, {
    hint: 'No Containerfile and no ignore file is that long: check what it is.',
  });
}
