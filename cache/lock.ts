import { closeSync, constants, fstatSync, mkdirSync, openSync, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../src/core/errors.ts';
import { flock } from '../src/sys/file.ts';

/** A lock on a file, held until `release`. It ends with the process, however that ends; no pid is ever written. */
export interface Lock {
  readonly fd: number;
  /** Lets the next one in. Harmless when done twice. */
  release(): void;
}

export type LockMode = 'shared' | 'exclusive';

/** Locks `file` (made, with its folder, where missing) or returns undefined where another holds it. */
export function tryLock(file: string, mode: LockMode): Lock | undefined {
  for (;;) {
    const fd = openLockFile(file);
    if (!flock(fd, mode, true)) {
      closeSync(fd);
      return undefined;
    }
    if (isSameFile(fd, file)) return held(fd, file, mode);
    closeSync(fd);
  }
}

/** Waits for the lock without blocking the thread; an aborted signal rejects with its reason. */
export async function lock(file: string, mode: LockMode, signal?: AbortSignal): Promise<Lock> {
  for (let waitMs = 2; ; waitMs = Math.min(waitMs * 1.5, 50)) {
    signal?.throwIfAborted();
    const got = tryLock(file, mode);
    if (got !== undefined) return got;
    await sleep(waitMs, undefined, signal && { signal }).catch((error: unknown) => {
      throw signal?.aborted ? signal.reason : error;
    });
  }
}

/** Waits for the lock of a folder that is not ours: nothing is written to it, and no file in it is opened. */
export async function lockFolder(folder: string, signal?: AbortSignal): Promise<Lock> {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    while (!flock(fd, 'exclusive', true)) await sleep(20, undefined, signal && { signal });
  } catch (error) {
    closeSync(fd);
    throw signal?.aborted ? signal.reason : error;
  }
  let open = true;
  return {
    fd,
    release() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

/** An exclusive holder takes the file away with the lock: who opened it meanwhile sees that and opens it anew. */
function held(fd: number, file: string, mode: LockMode): Lock {
  let open = true;
  return {
    fd,
    release() {
      if (!open) return;
      open = false;
      if (mode === 'exclusive') unlinkIfThere(file);
      closeSync(fd);
    },
  };
}

function openLockFile(file: string): number {
  try {
    return openSync(file, 'a', 0o600);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    return openSync(file, 'a', 0o600);
  }
}

function isSameFile(fd: number, file: string): boolean {
  const there = statSync(file, { throwIfNoEntry: false });
  const ours = fstatSync(fd);
  return there !== undefined && there.ino === ours.ino && there.dev === ours.dev;
}

function unlinkIfThere(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
