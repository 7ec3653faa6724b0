import { chmodSync, cpSync, existsSync, lchownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hexOf, keyOf } from '../src/core/digest.ts';
import { errnoOf } from '../src/core/errors.ts';
import type { HeldMount, Layers, Mounts } from '../src/core/store.ts';
import { giveTo, readOwner, writeOwner } from '../src/sys/owner-attribute.ts';
import { guarded } from './faults.ts';
import { type Home, touch } from './home.ts';
import { type Lock, lock, tryLock } from './lock.ts';
import { idFile, isPlain, keptMounts, noteId, notPlain, packMount } from './mount-content.ts';
import { discard } from './scratch.ts';

type HoldOptions = Parameters<Mounts['hold']>[1];

/** Cache mounts: a folder per id, `0`, and further ones where a private mount is wanted while others are held. */
export function openMounts(home: Home, layers: Pick<Layers, 'listing' | 'tree' | 'writer'>): Mounts {
  const seen = new Set<string>();
  return {
    list: () => keptMounts(home),
    has: (id) => existsSync(dataOf(home, `${nameOf(id)}/0`)),
    pack: (id, signal) =>
      guarded(async () => {
        if (!existsSync(dataOf(home, `${nameOf(id)}/0`))) return undefined;
        const held = await lock(lockOf(home, nameOf(id), 0), 'exclusive', signal);
        try {
          return await packMount(dataOf(home, `${nameOf(id)}/0`), await layers.writer());
        } finally {
          held.release();
        }
      }),
    async seedOf(layer, signal) {
      const strange = (await layers.listing(layer, signal)).find((entry) => !isPlain(entry));
      if (strange !== undefined) throw notPlain(strange);
      return await layers.tree(layer, signal);
    },
    fill: (id, from, signal) =>
      guarded(async () => {
        const held = await lock(lockOf(home, nameOf(id), 0), 'exclusive', signal);
        try {
          discard(home.tmp, home.path('mounts', `${nameOf(id)}/0`));
          prepare(home, { id, number: 0 }, from);
        } finally {
          held.release();
        }
      }),
    hold: (id, options, signal) =>
      guarded(async () => {
        const name = nameOf(id);
        if (options.fresh === true && !seen.has(name)) empty(home, name);
        seen.add(name);
        const { number, held } = await holdNumber(home, name, { sharing: options.sharing, signal });
        try {
          return mounted(prepare(home, { id, number }, options), held);
        } catch (error) {
          held.release();
          throw error;
        }
      }),
  };
}

function nameOf(id: string): string {
  return hexOf(keyOf(id));
}

function dataOf(home: Home, name: string): string {
  return join(home.path('mounts', name), 'data');
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
    if (number === idFile) continue;
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
function prepare(
  home: Home,
  { id, number }: { readonly id: string; readonly number: number },
  options: Pick<HoldOptions, 'mode' | 'uid' | 'gid' | 'seed'>,
): string {
  const path = dataOf(home, `${nameOf(id)}/${number}`);
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
  noteId(home, nameOf(id), id);
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
