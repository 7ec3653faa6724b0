import { createWriteStream, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { BuildError, errnoOf } from '../core/errors.ts';

/**
 * Writes a file that appears only once it is whole; `-` is stdout, and into a device or a pipe is written as it stands.
 * Fails with `output` or `disk-full`.
 */
export async function intoFile(dest: string, write: (out: Writable) => Promise<void>): Promise<void> {
  if (dest === '-') return await intoStdout(write);
  const temporary = `${dest}.${process.pid}.tmp`;
  try {
    if (isSpecial(dest)) return await write(createWriteStream(dest, { flags: 'r+' }));
    await write(createWriteStream(temporary, { flags: 'wx' }));
    await rename(temporary, dest);
  } catch (error) {
    await rm(temporary, { force: true });
    throw outputError(dest, error);
  }
}

/** `/dev/null` and the like, which a new file must not replace. */
function isSpecial(dest: string): boolean {
  const stat = statSync(dest, { throwIfNoEntry: false });
  return stat !== undefined && !stat.isFile() && !stat.isDirectory();
}

/** Whoever reads may stop reading: that is no fault of ours, and the build's image is in the store. */
async function intoStdout(write: (out: Writable) => Promise<void>): Promise<void> {
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
