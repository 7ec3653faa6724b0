import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { isRoot } from './skips.ts';

/**
 * Removes a folder with all it holds. An ordinary person's may hold files of the ids of a user namespace, and folders
 * that their own modes close: in such a namespace both can be removed.
 */
export function removeTree(path: string): void {
  if (!isRoot) spawnSync('unshare', ['--user', '--map-root-user', '--map-auto', 'rm', '-rf', '--', path]);
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}
