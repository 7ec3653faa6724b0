import { lstatSync, mkdirSync, type Stats } from 'node:fs';
import { join, resolve } from 'node:path';
import { BuildError } from '../src/core/errors.ts';
import type { FetchBlob, Store } from '../src/core/store.ts';
import { openBlobs } from './blobs.ts';
import { guarded, type OnWarning, storeError } from './faults.ts';
import { Home } from './home.ts';
import { openImages } from './images.ts';
import { LayerStore } from './layers.ts';
import { openMounts } from './mounts.ts';
import { openRecords } from './records.ts';
import { openStatCache } from './stat.ts';

export interface StoreOptions {
  /** How layers that are not at hand are had. */
  readonly fetch: FetchBlob;
  /**
   * Names the id mapping under which trees are unpacked: `root`, a digest of the user namespace's map, or `plain`
   * where owners cannot be set at all. Letters, digits and `-`.
   */
  readonly mapping: string;
  /** Takes what could not be read and was therefore made anew. */
  readonly onWarning?: OnWarning;
}

/** A store that is in use until it is disposed of (or the process ends): prune spares what it uses. */
export interface OpenStore extends Store, AsyncDisposable {
  readonly home: Home;
}

/**
 * Opens the store at `root`, making it where there is none. Cheap: no folder is read. Fails with `store` where it
 * belongs to another uid, which may be one that is not mapped in this user namespace.
 */
export async function openStore(root: string, options: StoreOptions): Promise<OpenStore> {
  const path = resolve(root);
  checkOwner(path, openRoot(path));
  const home = new Home(path, { mapping: options.mapping, warn: options.onWarning ?? (() => undefined) });
  const blobs = openBlobs(home);
  return {
    root: path,
    home,
    blobs,
    layers: new LayerStore(home, blobs, options.fetch),
    records: openRecords(home),
    images: openImages(home, blobs),
    mounts: openMounts(home),
    statCache: (folder) => openStatCache(home, folder),
    scratch: () =>
      guarded(async () => {
        const folder = home.scratch();
        return { path: folder.path, [Symbol.asyncDispose]: async () => folder.remove() };
      }),
    logs: join(path, 'logs'),
    [Symbol.asyncDispose]: async () => home.close(),
  };
}

function openRoot(path: string): Stats {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined) return there;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return lstatSync(path);
  } catch (error) {
    throw storeError(error);
  }
}

function checkOwner(path: string, stat: Stats): void {
  if (!stat.isDirectory()) throw new BuildError('store', `the store ${path} is not a folder`);
  const uid = process.geteuid?.();
  if (uid === undefined || stat.uid === uid) return;
  const whose = stat.uid === 65_534 ? 'another user' : `uid ${stat.uid}`;
  throw new BuildError('store', `the store ${path} belongs to ${whose}, and this is uid ${uid}`, {
    hint: 'A store has one owner: choose another one with --root or TSBUILD_ROOT.',
  });
}
