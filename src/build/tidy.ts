import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '../core/store.ts';

/** Builds whose logs are kept. */
const KEPT_LOGS = 50;

/** Keeps the store within its bounds once a build is done. */
export async function tidy(store: Store): Promise<void> {
  await dropOldLogs(store.logs);
}

/** Folders are named by time, so that their order is their age. */
async function dropOldLogs(folder: string): Promise<void> {
  const builds = await readdir(folder).catch(() => []);
  const old = builds.sort().slice(0, -KEPT_LOGS);
  await Promise.all(old.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}
