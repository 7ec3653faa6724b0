import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { nameOf, pathOf } from '../src/core/bytes.ts';
import { type Digest, hexOf } from '../src/core/digest.ts';
import { errnoOf } from '../src/core/errors.ts';
import type { Entry, Listing } from '../src/core/types.ts';
import type { Home } from './home.ts';
import { discard } from './scratch.ts';

/** What is known of a tree, in the file `<diffId>.json` beside it; that file's time is the tree's last use. */
export interface TreeFacts {
  /** Bytes of its files' contents. */
  readonly bytes: number;
  readonly own: boolean;
  /** The boot during which it was written or last looked through. */
  readonly boot: string;
}

/**
 * Unpacked layers by diffId, for one id mapping. Trees are written without fsync: the first use after a boot looks at
 * every entry once (kind, size, mode, owner) and throws a tree away that a crash of the machine left incomplete.
 */
export class Trees {
  readonly #home: Home;

  constructor(home: Home) {
    this.#home = home;
  }

  /** Absolute path of a tree that may be used, or undefined. `listing` is asked for only where it must be checked. */
  find(diffId: Digest, listing: () => Listing | undefined): string | undefined {
    const path = this.#path(diffId);
    if (!existsSync(path)) return undefined;
    const facts = this.#home.readJson(this.#facts(diffId), isTreeFacts);
    if (facts?.boot !== bootId()) {
      const entries = listing();
      if (entries === undefined) return facts === undefined ? undefined : path;
      if (!isWhole(path, entries, this.#home.mapping === 'plain')) {
        this.#home.warn(`the unpacked layer ${diffId} is damaged; it is made anew`);
        discard(this.#home.tmp, path);
        return undefined;
      }
      this.#writeFacts(diffId, { bytes: sizeOf(entries), own: facts?.own ?? false });
    }
    return this.#home.use(this.#facts(diffId)) && existsSync(path) ? path : undefined;
  }

  /** Moves a finished tree to its place; where another build was quicker, its one stays. */
  keep(diffId: Digest, temp: string, facts: { readonly bytes: number; readonly own: boolean }): string {
    const path = this.#path(diffId);
    try {
      this.#home.place(temp, path);
      this.#home.written += facts.bytes;
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')) throw error;
      discard(this.#home.tmp, temp);
    }
    this.#writeFacts(diffId, facts);
    this.#home.use(this.#facts(diffId));
    return path;
  }

  #writeFacts(diffId: Digest, facts: { readonly bytes: number; readonly own: boolean }): void {
    this.#home.write(this.#facts(diffId), JSON.stringify({ ...facts, boot: bootId() }));
  }

  #path(diffId: Digest): string {
    return join(this.#home.trees, hexOf(diffId));
  }

  #facts(diffId: Digest): string {
    return `${this.#path(diffId)}.json`;
  }
}

export function isTreeFacts(value: unknown): value is TreeFacts {
  const facts = value as TreeFacts | null;
  return typeof facts?.bytes === 'number' && typeof facts.boot === 'string' && typeof facts.own === 'boolean';
}

/** Bytes of the contents that a listing names. */
export function sizeOf(listing: Listing): number {
  return listing.reduce((sum, entry) => sum + entry.size, 0);
}

let boot: string | undefined;

function bootId(): string {
  boot ??= readBootId();
  return boot;
}

/** Where the kernel does not say, every process counts as a boot of its own: trees are looked through more often. */
function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `unknown-${process.pid}-${Date.now()}`;
  }
}

function isWhole(tree: string, listing: Listing, plain: boolean): boolean {
  return listing.every((entry) => isThere(`${tree}/${entry.path}`, entry, plain));
}

function isThere(full: string, entry: Entry, plain: boolean): boolean {
  const stat = lstatSync(pathOf(full), { throwIfNoEntry: false });
  if (stat === undefined) return plain && ['char', 'block', 'whiteout'].includes(entry.type);
  switch (entry.type) {
    case 'file':
      return stat.isFile() && stat.size === entry.size && (plain || stat.uid === entry.uid);
    case 'dir':
      return stat.isDirectory() && (plain || (stat.uid === entry.uid && (stat.mode & 0o7777) === entry.mode));
    case 'symlink':
      return (
        stat.isSymbolicLink() && nameOf(readlinkSync(pathOf(full), { encoding: 'buffer' })) === entry.link
      );
    case 'opaque':
      return stat.isDirectory();
    default:
      return !stat.isDirectory();
  }
}
