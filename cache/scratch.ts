import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../src/core/errors.ts';
import { type Lock, tryLock } from './lock.ts';

/** A temporary folder `tmp/<random>/` whose `lock` is held by its owner, so that others leave it alone. */
export interface LockedFolder {
  readonly path: string;
  remove(): void;
  /** The same beside other work; until it is done the folder stays locked. */
  removeAside(): Promise<void>;
}

/** Runs a task while no locked folder is being made. */
export type Alone = (task: () => void) => void;

/**
 * Makes a locked folder; call it behind the gate, so that no sweep sees it before it is locked. `since` (seconds)
 * becomes the time of its lock: from when on its owner may be using what is in the store.
 */
export function makeLocked(tmp: string, since: number): LockedFolder {
  const path = join(tmp, randomBytes(8).toString('hex'));
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const held = tryLock(join(path, 'lock'), 'shared');
  if (held === undefined) throw new Error(`a new folder is locked already: ${path}`);
  utimesSync(join(path, 'lock'), since, since);
  return { path, remove: () => removeLocked(path, held), removeAside: () => removeAside(path, held) };
}

/** Moves something out of sight, to be deleted later: renames are quick, deleting a tree is not. */
export function discard(tmp: string, path: string): void {
  const away = join(tmp, `trash-${randomBytes(8).toString('hex')}`);
  try {
    renameSync(path, away);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    if (!existsSync(path)) return;
    mkdirSync(tmp, { recursive: true, mode: 0o700 });
    renameSync(path, away);
  }
}

/** Deletes what nobody owns any more: discarded things, and folders whose lock can be had. */
export function sweep(tmp: string, alone: Alone): void {
  if (namesIn(tmp).length === 0) return;
  alone(() => {
    for (const name of namesIn(tmp)) if (!name.startsWith('trash-')) discardOrphan(tmp, name);
  });
  for (const name of namesIn(tmp)) if (name.startsWith('trash-')) removeIfOurs(join(tmp, name));
}

/** What belongs to ids of another rung is left for a build there. */
function removeIfOurs(path: string): void {
  try {
    removeTree(path);
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) throw error;
  }
}

/** When the longest-running user of the store opened it, in seconds; undefined where nobody uses it. */
export function oldestUser(tmp: string): number | undefined {
  const locks = namesIn(tmp).map((name) => lstatSync(join(tmp, name, 'lock'), { throwIfNoEntry: false }));
  const times = locks.flatMap((stat) => (stat === undefined ? [] : [stat.mtimeMs / 1000]));
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Deletes a tree whatever the modes of its folders are. */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTEMPTY') return;
    if (errnoOf(error) !== 'EACCES') throw error;
    openFolders(path);
    rmSync(path, { recursive: true, force: true });
  }
}

function discardOrphan(tmp: string, name: string): void {
  const path = join(tmp, name);
  const held = lstatSync(path, { throwIfNoEntry: false })?.isDirectory()
    ? tryLock(join(path, 'lock'), 'exclusive')
    : undefined;
  if (held === undefined) return;
  discard(tmp, path);
  held.release();
}

function removeLocked(path: string, held: Lock): void {
  removeTree(path);
  held.release();
}

/** What cannot be removed is no reason to fail: it is nobody's from here on, and the next sweep tries again. */
async function removeAside(path: string, held: Lock): Promise<void> {
  await rm(path, { recursive: true, force: true })
    .catch(() => removeTree(path))
    .catch(() => undefined);
  held.release();
}

/** An ordinary user cannot delete inside folders without write permission: gives it back first. */
function openFolders(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  chmodSync(path, 0o700);
  for (const entry of readdirSync(path, { withFileTypes: true, encoding: 'buffer' })) {
    if (entry.isDirectory()) openFolders(join(path, entry.name.toString('latin1')));
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
