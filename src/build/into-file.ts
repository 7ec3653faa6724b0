import { constants, createWriteStream, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { BuildError, errnoOf } from '../core/errors.ts';

type Write = (out: Writable) => Promise<void>;

/**
 * Writes a file that appears only once it is whole; `-` is stdout, and into a device or a pipe is written as it stands;
 * for a pipe's reader it waits.
 * Fails with `output` or `disk-full`.
 */
export async function intoFile(dest: string, write: Write, signal?: AbortSignal): Promise<void> {
  if (dest === '-') return await intoStdout(write);
  const temporary = `${dest}.${process.pid}.tmp`;
  try {
    const stat = statSync(dest, { throwIfNoEntry: false });
    if (stat?.isFIFO()) return await intoPipe(dest, write, signal);
    if (stat !== undefined && !stat.isFile() && !stat.isDirectory())
      return await write(createWriteStream(dest, { flags: 'r+' }));
    await write(createWriteStream(temporary, { flags: 'wx' }));
    await rename(temporary, dest);
  } catch (error) {
    await rm(temporary, { force: true });
    throw outputError(dest, error);
  }
}

/** What is written before someone reads would be gone: waits for a reader, without a thread that waits in open(2). */
async function intoPipe(dest: string, write: Write, signal: AbortSignal | undefined): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      await using _held = await open(dest, constants.O_WRONLY | constants.O_NONBLOCK);
      return await write(createWriteStream(dest, { flags: 'r+' }));
    } catch (error) {
      if (errnoOf(error) !== 'ENXIO') throw error;
    }
    await sleep(20);
  }
}

/** Whoever reads may stop reading: that is no fault of ours, and the build's image is in the store. */
async function intoStdout(write: Write): Promise<void> {
  try {
    await write(process.stdout);
  } catch (error) {
    if (errnoOf(error) !== 'EPIPE') throw error;
    throw new BuildError('output', 'stdout was closed before all of the output was written', {
      cause: error,
    });
  }
}

function outputError(dest: string, error: unknown): unknown {
  const code = errnoOf(error);
  if (code === undefined || error instanceof BuildError) return error;
  const full = code === 'ENOSPC';
  return new BuildError(full ? 'disk-full' : 'output', `${dest} cannot be written (${code})`, {
    cause: error,
    hint: full
      ? 'Free some space there, or choose another place.'
      : 'Check that its folder exists and that you may write there.',
  });
}
