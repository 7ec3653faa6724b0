import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { nameOf, pathOf } from '../src/core/bytes.ts';
import { type Digest, hexOf } from '../src/core/digest.ts';
import { errnoOf } from '../src/core/errors.ts';
import type { PathOwner } from '../src/core/owner.ts';
import type { Entry, Listing } from '../src/core/types.ts';
import type { Home } from './home.ts';
import { isCarried, ownerOfEntry, ownersBeside } from './recorded-owners.ts';
import { discard } from './scratch.ts';

/** What is known of a tree, in the file `<diffId>.json` beside it; that file's time is the tree's last use. */
export interface TreeFacts {
  /** Bytes of its files' contents. */
  readonly bytes: number;
  readonly own: boolean;
  /** The boot during which it was written or last looked through. */
  readonly boot: string;
  /** Under the mapping `single`: the owners of files that cannot carry them. */
  readonly owners?: readonly PathOwner[];
}

/**
 * Unpacked layers by diffId, for one id mapping. Trees are written without fsync: the first use after a boot looks at
 * every entry once (kind, size, mode, owner) and throws a tree away that a crash of the machine left incomplete.
 */
export class Trees {
  readonly #home: Home;
  readonly #foreign = new Map<Digest, string>();

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
      if (!isWhole(path, entries, { mapping: this.#home.mapping, owners: facts?.owners })) {
        this.#home.warn(`the unpacked layer ${diffId} is damaged; it is made anew`);
        discard(this.#home.tmp, path);
        return undefined;
      }
      this.#writeFacts(diffId, {
        bytes: sizeOf(entries),
        own: facts?.own ?? false,
        ...this.#owners(path, entries),
      });
    }
    return this.#home.use(this.#facts(diffId)) && existsSync(path) ? path : undefined;
  }

  /**
   * A tree of the layer under another mapping, from which its contents can be read: a layer that one rung made is of use
   * to the others.
   */
  findForeign(diffId: Digest, listing: Listing | undefined): string | undefined {
    if (listing === undefined) return undefined;
    const known = this.#foreign.get(diffId);
    if (known !== undefined && existsSync(known)) return known;
    const found = mappingsIn(dirname(this.#home.trees))
      .map((folder) => join(folder, hexOf(diffId)))
      .find((tree) => this.#isOfUse(tree, listing));
    if (found !== undefined) this.#foreign.set(diffId, found);
    return found;
  }

  #isOfUse(tree: string, listing: Listing): boolean {
    if (dirname(tree) === this.#home.trees || !existsSync(tree)) return false;
    return isReadable(tree, listing) && this.#home.use(`${tree}.json`);
  }

  /** Moves a finished tree to its place; where another build was quicker, its one stays. */
  keep(
    diffId: Digest,
    temp: string,
    { listing, own }: { readonly listing: Listing; readonly own: boolean },
  ): string {
    const path = this.#path(diffId);
    const facts = { bytes: sizeOf(listing), own, ...this.#owners(temp, listing) };
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

  /** What is kept beside a tree of the owners of its files, by absolute path. */
  ownersBeside(tree: string): readonly PathOwner[] {
    if (this.#home.mapping !== 'single') return [];
    const { owners = [] } = this.#home.readJson(`${tree}.json`, isTreeFacts) ?? {};
    return owners.map(({ path, owner }) => ({ path: join(tree, path), owner }));
  }

  /** In the form in which a tree is read: `beside` holds paths inside of it. */
  ownersOf(diffId: Digest): { readonly beside: readonly PathOwner[] } | undefined {
    if (this.#home.mapping !== 'single') return undefined;
    return { beside: this.#home.readJson(this.#facts(diffId), isTreeFacts)?.owners ?? [] };
  }

  #owners(tree: string, listing: Listing): Pick<TreeFacts, 'owners'> {
    return this.#home.mapping === 'single' ? { owners: ownersBeside(tree, listing) } : {};
  }

  #writeFacts(diffId: Digest, facts: Omit<TreeFacts, 'boot'>): void {
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
  return (
    typeof facts?.bytes === 'number' &&
    typeof facts.boot === 'string' &&
    typeof facts.own === 'boolean' &&
    (facts.owners === undefined || Array.isArray(facts.owners))
  );
}

function mappingsIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** Bytes of the contents that a listing names. */
function sizeOf(listing: Listing): number {
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

interface Lens {
  readonly mapping: string;
  readonly owners?: readonly PathOwner[] | undefined;
}

function isWhole(tree: string, listing: Listing, { mapping, owners = [] }: Lens): boolean {
  const beside = new Set(owners.map(({ path }) => path));
  return listing.every((entry) => {
    const full = `${tree}/${entry.path}`;
    if (mapping !== 'single') return isThere(full, entry, mapping === 'plain');
    const owner = beside.has(entry.path) ? undefined : ownerOfEntry(entry);
    return isThere(full, { ...entry, uid: 0 }, false) && (owner === undefined || isCarried(full, owner));
  });
}

/** Whether the contents of a listing's files can be had from a tree, whoever they belong to there. */
function isReadable(tree: string, listing: Listing): boolean {
  return listing.every((entry) => {
    const full = `${tree}/${entry.path}`;
    if (!isThere(full, entry, true)) return false;
    return entry.type !== 'file' || mayRead(full);
  });
}

function mayRead(full: string): boolean {
  try {
    accessSync(pathOf(full), constants.R_OK);
    return true;
  } catch {
    return false;
  }
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
