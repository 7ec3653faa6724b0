import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { hasher } from '../src/core/digest.ts';
import { errnoOf } from '../src/core/errors.ts';
import { flock } from '../src/sys/file.ts';
import { type OnWarning, storeError } from './faults.ts';
import { type LockedFolder, makeLocked, sweep } from './scratch.ts';

/** The folders of a store, each with the version of what it holds: a later format gets a folder of its own. */
export const folders = {
  blobs: 'blobs/v1',
  listings: 'listings/v1',
  facts: 'facts/v1',
  origins: 'origins/v1',
  records: 'records/v1',
  ingredients: 'ingredients/v1',
  downloads: 'downloads/v1',
  images: 'images/v1',
  names: 'names/v1',
  mounts: 'mounts/v1',
  stat: 'stat/v1',
  locks: 'locks/v1',
} as const;

export type Folder = keyof typeof folders;

/**
 * The store's folder on disk: where things are, and how they come there. Everything is written to the process's own
 * temporary folder and renamed to its place, so a reader never sees half a thing.
 *
 * Nothing is fsynced. What a crash of the machine can damage is found when it is used: blobs and tars by their digest,
 * listings and JSON by their own checksum or grammar, trees by a look at every entry once per boot (trees.ts).
 */
export class Home {
  readonly root: string;
  readonly mapping: string;
  readonly warn: OnWarning;
  /** Bytes that this process brought into the store: `keepWithin` adds them up. */
  written = 0;
  #session: LockedFolder | undefined;
  #gateFd: number | undefined;
  #count = 0;
  readonly #used = new Set<string>();
  readonly #removals: Promise<void>[] = [];
  readonly #opened = Date.now() / 1000;

  readonly #end = (): void => {
    this.#session?.remove();
    this.#session = undefined;
  };

  constructor(root: string, options: { readonly mapping: string; readonly warn: OnWarning }) {
    this.root = root;
    this.mapping = options.mapping;
    this.warn = options.warn;
  }

  path(folder: Folder, name: string): string {
    return join(this.root, folders[folder], name);
  }

  get trees(): string {
    return join(this.root, 'trees', `v1-${this.mapping}`);
  }

  get tmp(): string {
    return join(this.root, 'tmp');
  }

  /** A path of its own in this process's temporary folder; nothing is there yet. */
  temp(): string {
    this.#session ??= this.#openSession();
    return join(this.#session.path, String(this.#count++));
  }

  /** Moves what is ready to its place; an older one there is replaced (files only). */
  place(from: string, to: string): void {
    try {
      renameSync(from, to);
    } catch (error) {
      // Another build may make the folder at this moment: so it is tried again whether or not it is there now.
      if (errnoOf(error) !== 'ENOENT') throw error;
      mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
      renameSync(from, to);
    }
  }

  /** Writes a small file whole. */
  write(to: string, data: string | Uint8Array): void {
    const temp = this.temp();
    try {
      writeFileSync(temp, data, { mode: 0o600 });
      this.place(temp, to);
      this.written += data.length;
    } catch (error) {
      throw storeError(error);
    }
  }

  /** Writes bytes that carry no digest of their own, after their sha256. */
  writeChecked(to: string, data: Buffer): void {
    this.write(to, Buffer.concat([hasher().update(data).digest(), data]));
  }

  /** What `writeChecked` wrote, or undefined: a damaged file counts as absent, with a warning. */
  readChecked(file: string): Buffer | undefined {
    try {
      const bytes = readFileSync(file);
      const data = bytes.subarray(32);
      if (hasher().update(data).digest().equals(bytes.subarray(0, 32))) return data;
      this.warn(`${file} is damaged; it is taken as absent`);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') this.warn(`${file} cannot be read; it is taken as absent`);
    }
    return undefined;
  }

  /** A small JSON file of ours, or undefined: what cannot be read counts as absent, with a warning. */
  readJson<T>(file: string, check: (value: unknown) => value is T): T | undefined {
    try {
      const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
      if (check(value)) return value;
      this.warn(`${file} is not what it should be; it is taken as absent`);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') this.warn(`${file} cannot be read; it is taken as absent`);
    }
    return undefined;
  }

  /**
   * Notes that this process uses what is at `path`, so that no prune takes it away before this process ends. False
   * where it is not there. Cheap: once per path.
   */
  use(path: string): boolean {
    if (this.#used.has(path)) return existsSync(path);
    this.#session ??= this.#openSession();
    return this.gate('shared', () => {
      if (!touch(path)) return false;
      this.#used.add(path);
      return true;
    });
  }

  /**
   * Runs `task` behind the store's gate: users pass it together, in microseconds; prune passes alone while it renames
   * away. `task` must not wait for anything.
   */
  gate<T>(mode: 'shared' | 'exclusive', task: () => T): T {
    this.#gateFd ??= openGate(this.root);
    flock(this.#gateFd, mode);
    try {
      return task();
    } finally {
      flock(this.#gateFd, 'unlock');
    }
  }

  /** Removes a folder while other work goes on: a step's own takes longer than anything else we do about it. */
  removeAside(folder: LockedFolder): void {
    this.#removals.push(folder.removeAside());
  }

  /** Waits for what is being removed. */
  async settled(): Promise<void> {
    await Promise.all(this.#removals.splice(0));
  }

  /** A locked temporary folder besides the process's own. */
  scratch(): LockedFolder {
    this.#session ??= this.#openSession();
    return this.gate('shared', () => makeLocked(this.tmp, this.#opened));
  }

  /** Ends this process's use of the store; removes its temporary folder and what killed processes left. */
  close(): void {
    this.#end();
    process.off('exit', this.#end);
    sweep(this.tmp, (task) => this.gate('exclusive', task));
    if (this.#gateFd !== undefined) closeSync(this.#gateFd);
    this.#gateFd = undefined;
    this.#used.clear();
  }

  /** Bears the time at which the store was opened: prune spares what was used since (prune.ts). */
  #openSession(): LockedFolder {
    try {
      const session = this.gate('shared', () => makeLocked(this.tmp, this.#opened));
      process.once('exit', this.#end);
      return session;
    } catch (error) {
      throw storeError(error);
    }
  }
}

/** Marks as used now; false where it is gone. */
export function touch(path: string): boolean {
  try {
    const now = Date.now() / 1000;
    utimesSync(path, now, now);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  }
}

function openGate(root: string): number {
  return openSync(join(root, 'gate'), 'a', 0o600);
}
