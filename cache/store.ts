import { existsSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { BuildError, errnoOf } from '../src/core/errors.ts';
import type { FetchBlob, Store } from '../src/core/store.ts';
import { openBlobs } from './blobs.ts';
import { openBuilds } from './builds.ts';
import { openCopies } from './copies.ts';
import { openDownloads } from './downloads.ts';
import { guarded, type OnWarning } from './faults.ts';
import { Home } from './home.ts';
import { openImages } from './images.ts';
import { openIngredients } from './ingredients.ts';
import { LayerStore } from './layers.ts';
import { openMounts } from './mounts.ts';
import { openRecords } from './records.ts';
import { openStatCache } from './stat.ts';
import { endJobs } from './workers.ts';

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
  const layers = new LayerStore(home, blobs, options.fetch);
  const ingredients = openIngredients(home);
  return {
    root: path,
    mapping: options.mapping,
    home,
    blobs,
    layers,
    records: openRecords(home),
    ingredients,
    downloads: openDownloads(home),
    images: openImages(home, blobs),
    mounts: openMounts(home, layers),
    copies: openCopies(home, layers),
    statCache: (folder) => openStatCache(home, folder),
    scratch: () =>
      guarded(async () => {
        const folder = home.scratch();
        return { path: folder.path, [Symbol.asyncDispose]: async () => home.removeAside(folder) };
      }),
    builds: openBuilds(home),
    [Symbol.asyncDispose]: async () => {
      await endJobs();
      await home.settled();
      ingredients.settle();
      home.close();
    },
  };
}

/** The folder may be reached by a link: a person who moves the store to another disk leaves one. */
function openRoot(path: string): Stats {
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there !== undefined) return there;
    makeFolder(path);
    return statSync(path);
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    throw new BuildError('store', `the store ${path} cannot be opened (${code})`, {
      cause: error,
      hint: 'Check the folders above it, or choose another place with --root or TSBUILD_ROOT.',
    });
  }
}

/** mkdir -p; Node's own never ends where a file system makes no folders (/proc). */
function makeFolder(path: string): void {
  if (!existsSync(dirname(path))) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

const another = 'Choose another one with --root or TSBUILD_ROOT.';

function checkOwner(path: string, stat: Stats): void {
  if (!stat.isDirectory())
    throw new BuildError('store', `the store ${path} is not a folder`, { hint: another });
  const uid = process.geteuid?.();
  if (uid === undefined || stat.uid === uid) return;
  const whose = stat.uid === 65_534 ? 'another user' : `uid ${stat.uid}`;
  throw new BuildError('store', `the store ${path} belongs to ${whose}, not to you`, {
    hint: `A store has one owner. ${another}`,
  });
}
