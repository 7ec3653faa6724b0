import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from './home.ts';
import { baseImages, forget, mayHaveNameless, namelessImages } from './idle-images.ts';
import { type Pruned, type PruneOptions, prune, type StoreWithHome } from './prune.ts';
import { oldestUser } from './scratch.ts';
import { bytesOf, itemsOf } from './usage.ts';

/** What was done for the bound. */
export interface KeptWithin extends Pruned {
  /** Bytes by which the store is still too large: what is left has a name, or is in use. Told once in a while. */
  readonly beyond: number;
}

/** Images without a name that are kept: a script may go on with the id that a build printed. */
const mostNameless = 10;

/** A store that can be made no smaller is looked at again when it has grown by this part, and by so many bytes. */
const patience = { part: 0.02, bytes: 1e6 };

/** What the store takes up, as it was last counted. */
interface Count {
  readonly bytes: number;
  /** As much was left when nothing more could be taken away. */
  readonly vain: number;
}

/**
 * Keeps the store's size within `bound` bytes; called after every build. Cheap while it is: the size is counted along in
 * a small file, and looked at anew only when the count is above the bound. What was used least recently goes first; base
 * images and then cache mounts go last. Nothing is taken that a running command uses, and nothing that a name needs.
 */
export function keepWithin(store: StoreWithHome, bound: number): KeptWithin {
  const { home } = store;
  const file = join(home.root, 'size');
  const before = readCount(file);
  const { vain = 0 } = before ?? {};
  const counted = before === undefined ? sizeOf(home) : before.bytes + home.written;
  home.written = 0;
  if (mayHaveNameless(home, mostNameless)) forgetPile(home);
  const unchanged = vain === 0 ? 0 : vain + Math.max(vain * patience.part, patience.bytes);
  if (counted <= Math.max(bound, unchanged)) {
    if (counted !== before?.bytes) writeCount(file, home, { bytes: counted, vain });
    return { count: 0, bytes: 0, beyond: 0 };
  }
  const pruned = pruneTo(store, bound);
  const bytes = sizeOf(home);
  const beyond = Math.max(0, bytes - bound);
  writeCount(file, home, { bytes, vain: beyond > 0 ? bytes : 0 });
  return { ...pruned, beyond };
}

/** The cache first, then bases, the one that was not used for longest first, then cache mounts. */
function pruneTo(store: StoreWithHome, bound: number): Pruned {
  const { home } = store;
  const cached: PruneOptions = { all: true, builds: true, keepBytes: bound };
  const rounds = [prune(store, cached)];
  const before = oldestUser(home.tmp) ?? Number.POSITIVE_INFINITY;
  for (const base of baseImages(home)) {
    if (base.used >= before || sizeOf(home) <= bound) break;
    forget(home, base);
    const round = prune(store, cached);
    rounds.push({ ...round, count: round.count + 1 });
  }
  if (sizeOf(home) > bound) rounds.push(prune(store, { ...cached, mounts: true }));
  return {
    count: rounds.reduce((sum, { count }) => sum + count, 0),
    bytes: rounds.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** The older of the images without a name go; their layers are what is in the cache. */
function forgetPile(home: Home): void {
  const before = oldestUser(home.tmp) ?? Number.POSITIVE_INFINITY;
  const pile = namelessImages(home).slice(0, -mostNameless);
  for (const image of pile) if (image.used < before) forget(home, image);
}

function sizeOf(home: Home): number {
  return bytesOf(itemsOf(home));
}

/** Undefined where nothing was counted yet. */
function readCount(file: string): Count | undefined {
  try {
    const [bytes = 0, vain = 0] = readFileSync(file, 'utf8').split(' ').map(Number);
    return bytes > 0 ? { bytes, vain: vain || 0 } : undefined;
  } catch {
    return undefined;
  }
}

function writeCount(file: string, home: Home, { bytes, vain }: Count): void {
  home.write(file, `${bytes} ${vain}`);
}
