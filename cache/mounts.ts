import { chmodSync, cpSync, existsSync, lchownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hexOf, keyOf } from '../src/core/digest.ts';
import { errnoOf } from '../src/core/errors.ts';
import type { HeldMount, Mounts } from '../src/core/store.ts';
import { giveTo, readOwner, writeOwner } from '../src/sys/owner-attribute.ts';
import { guarded } from './faults.ts';
import { type Home, touch } from './home.ts';
import { type Lock, lock, tryLock } from './lock.ts';
import { discard } from './scratch.ts';

type HoldOptions = Parameters<Mounts['hold']>[1];

/** Cache mounts: a folder per id, `0`, and further ones where a private mount is wanted while others are held. */
export function openMounts(home: Home): Mounts {
  const seen = new Set<string>();
  return {
    hold: (id, options, signal) =>
      guarded(async () => {
        const name = hexOf(keyOf(id));
        if (options.fresh === true && !seen.has(name)) empty(home, name);
        seen.add(name);
        const { number, held } = await holdNumber(home, name, { sharing: options.sharing, signal });
        try {
          return mounted(prepare(home, `${name}/${number}`, options), held);
        } catch (error) {
          held.release();
          throw error;
        }
      }),
  };
}

/** Finds a folder that may be used the way that was asked for, and locks it so. */
async function holdNumber(
  home: Home,
  name: string,
  how: { readonly sharing: HoldOptions['sharing']; readonly signal: AbortSignal | undefined },
): Promise<{ number: number; held: Lock }> {
  const file = (number: number): string => lockOf(home, name, number);
  if (how.sharing === 'shared') return { number: 0, held: await lock(file(0), 'shared', how.signal) };
  if (how.sharing === 'locked') return { number: 0, held: await lock(file(0), 'exclusive', how.signal) };
  for (let number = 0; ; number++) {
    const held = tryLock(file(number), 'exclusive');
    if (held !== undefined) return { number, held };
  }
}

function lockOf(home: Home, name: string, number: number | string): string {
  return home.path('locks', `mount-${name}-${number}`);
}

/** Takes away what a mount holds, but for folders that another build is using. */
function empty(home: Home, name: string): void {
  const folder = home.path('mounts', name);
  if (!existsSync(folder)) return;
  for (const number of readdirSync(folder)) {
    const held = tryLock(lockOf(home, name, number), 'exclusive');
    if (held === undefined) continue;
    try {
      discard(home.tmp, join(folder, number));
    } finally {
      held.release();
    }
  }
}

function mounted(path: string, held: Lock): HeldMount {
  return { path, [Symbol.asyncDispose]: async () => held.release() };
}

/** Makes the folder aside and moves it in: another build may be doing the same at this moment. */
function prepare(home: Home, name: string, options: HoldOptions): string {
  const path = join(home.path('mounts', name), 'data');
  if (!existsSync(path)) {
    const fresh = home.temp();
    mkdirSync(fresh, { mode: 0o700 });
    if (options.seed !== undefined) copyTree(options.seed, fresh);
    chmodSync(fresh, options.mode);
    if (lstatSync(fresh).uid !== options.uid || lstatSync(fresh).gid !== options.gid) {
      giveTo(fresh, options);
      chmodSync(fresh, options.mode);
    }
    placeFolder(home, fresh, path);
  }
  touch(join(path, '../..'));
  return path;
}

function placeFolder(home: Home, fresh: string, path: string): void {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  try {
    home.place(fresh, path);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')) throw error;
    discard(home.tmp, fresh);
  }
}

/** Contents with modes, times and owners; links stay links. */
function copyTree(from: string, to: string): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  copyOwners(from, to);
}

function copyOwners(from: string, to: string): void {
  const stat = lstatSync(from);
  lchownSync(to, stat.uid, stat.gid);
  const recorded = readOwner(from);
  if (recorded !== undefined) writeOwner(to, recorded);
  if (!stat.isSymbolicLink()) chmodSync(to, stat.mode & 0o7777);
  if (!stat.isDirectory()) return;
  for (const name of readdirSync(from)) copyOwners(join(from, name), join(to, name));
}
