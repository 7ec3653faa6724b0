import { statfsSync } from 'node:fs';
import { keepWithin } from '../../cache/prune.ts';
import type { OpenStore } from '../../cache/store.ts';

const GIGABYTE = 1e9;

/** Keeps the store within its bounds once a build is done; `keepBytes` in place of the bound that fits the disk. */
export function tidy(store: OpenStore, keepBytes: number = boundFor(store.root)): void {
  keepWithin(store, keepBytes);
}

/**
 * A tenth of the file system. Below 2 GB the layers of one common base image would drive out the next step's, and on a
 * large disk 20 GB hold the builds of weeks: more would only be forgotten there.
 */
function boundFor(root: string): number {
  const { blocks, bsize } = statfsSync(root);
  return Math.min(Math.max((blocks * bsize) / 10, 2 * GIGABYTE), 20 * GIGABYTE);
}
