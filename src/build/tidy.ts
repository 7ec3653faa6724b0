import { statfsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { keepWithin } from '../../cache/prune.ts';
import type { OpenStore } from '../../cache/store.ts';

/** Builds whose logs are kept. */
const KEPT_LOGS = 50;

const GIGABYTE = 1e9;

/** Keeps the store within its bounds once a build is done; `keepBytes` in place of the bound that fits the disk. */
export async function tidy(store: OpenStore, keepBytes: number = boundFor(store.root)): Promise<void> {
  keepWithin(store, keepBytes);
  await dropOldLogs(store.logs);
}

/**
 * A tenth of the file system. Below 2 GB the layers of one common base image would drive out the next step's, and on a
 * large disk 20 GB hold the builds of weeks: more would only be forgotten there.
 */
function boundFor(root: string): number {
  const { blocks, bsize } = statfsSync(root);
  return Math.min(Math.max((blocks * bsize) / 10, 2 * GIGABYTE), 20 * GIGABYTE);
}

/** Folders are named by time, so that their order is their age. */
async function dropOldLogs(folder: string): Promise<void> {
  const builds = await readdir(folder).catch(() => []);
  const old = builds.sort().slice(0, -KEPT_LOGS);
  await Promise.all(old.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}
