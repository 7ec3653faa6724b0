import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeTree } from './remove.ts';

/** Where things lie that are made once for a run of all tests. */
export function sharedFolder(): string {
  const folder = process.env.TSBUILD_TEST_SHARED;
  if (folder === undefined)
    throw new Error('TSBUILD_TEST_SHARED is unset: test/support/build-once.ts sets it');
  return folder;
}

/**
 * The folder `name` below the shared one, filled by `make` by whoever asks first; the others wait for it. A failed
 * `make` leaves nothing, and the next one tries again.
 */
export async function once(name: string, make: (folder: string) => Promise<void> | void): Promise<string> {
  const folder = join(sharedFolder(), name);
  const lock = `${folder}.lock`;
  while (!existsSync(folder)) {
    if (!take(lock)) {
      await sleep(50);
      continue;
    }
    try {
      if (!existsSync(folder)) await fill(folder, make);
    } finally {
      rmSync(lock, { force: true });
    }
  }
  return folder;
}

/** A private folder that others may enter, removed at the end of the block that holds it. */
export function temporaryFolder(prefix = 'case'): AsyncDisposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), `tsbuild-${prefix}-`));
  chmodSync(path, 0o755);
  return {
    path,
    [Symbol.asyncDispose]: async () => removeTree(path),
  };
}

async function fill(folder: string, make: (folder: string) => Promise<void> | void): Promise<void> {
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial);
  await make(partial);
  renameSync(partial, folder);
}

function take(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
