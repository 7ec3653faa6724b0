import { chmodSync, mkdirSync } from 'node:fs';
import { giveTo } from '../../src/sys/owner-attribute.ts';

/** Mode and owner of a folder. */
export interface FolderOwnership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What a root is like of which no layer says anything. */
export const plainFolder: FolderOwnership = { mode: 0o755, uid: 0, gid: 0 };

/** Makes a folder with just this mode, whatever the umask. */
export function makeFolder(path: string, { mode, uid, gid }: FolderOwnership): void {
  mkdirSync(path);
  if (uid !== 0 || gid !== 0) giveTo(path, { uid, gid });
  chmodSync(path, mode);
}
