import { statfsSync } from 'node:fs';
import { type KeptWithin, keepWithin } from '../../cache/keep-within.ts';
import type { OpenStore } from '../../cache/store.ts';
import { folderBytes } from '../../cache/usage.ts';
import { BuildError } from '../core/errors.ts';
import type { Emit } from '../core/events.ts';
import type { BuildOptions } from '../core/options.ts';
import { formatBytes } from '../report/format.ts';

const GIGABYTE = 1e9;

export interface Tidying {
  readonly options: Pick<BuildOptions, 'keepBytes' | 'emit' | 'signal'>;
  /** What is remembered of the build, or of each of several. */
  readonly folders: readonly string[];
}

/**
 * Keeps the store within its bound once the build has ended, however it did, and says what that took away. What goes wrong
 * with it is told, and fails no build.
 */
export function tidying(store: OpenStore, { options, folders }: Tidying): Disposable {
  const { emit, signal, keepBytes = boundFor(store.root) } = options;
  return {
    [Symbol.dispose]: () => {
      if (signal.aborted) return;
      try {
        for (const folder of folders) store.home.written += folderBytes(folder);
        tell(keepWithin(store, keepBytes), keepBytes, emit);
      } catch (error) {
        if (!(error instanceof BuildError)) throw error;
        emit({ type: 'note', level: 'warning', text: `the store was not tidied: ${error.message}` });
      }
    },
  };
}

function tell({ count, bytes, beyond }: KeptWithin, bound: number, emit: Emit): void {
  const within = `to keep the store within ${formatBytes(bound)}`;
  if (count > 0) {
    const things = `${count} thing${count === 1 ? '' : 's'}`;
    emit({ type: 'note', level: 'info', text: `removed ${things}, ${formatBytes(bytes)}, ${within}` });
  }
  if (beyond === 0) return;
  const text = `the store has ${formatBytes(beyond)} too much ${within}: all that is left has a name or is in use, as \`tsbuild du --verbose\` tells`;
  emit({ type: 'note', level: 'warning', text });
}

/**
 * A tenth of the file system, at most 50 GB. Below 2 GB (or half of a disk that is smaller than 4) the layers of one common
 * base image would drive out the next step's.
 */
export function boundFor(root: string): number {
  const { blocks, bsize } = statfsSync(root);
  const disk = blocks * bsize;
  return Math.min(Math.max(disk / 10, Math.min(2 * GIGABYTE, disk / 2)), 50 * GIGABYTE);
}
