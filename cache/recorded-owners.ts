import { lstatSync } from 'node:fs';
import { pathOf } from '../src/core/bytes.ts';
import {
  type InodeOwner,
  type Owner,
  ownerText,
  type PathOwner,
  parseOwner,
  rootOwner,
} from '../src/core/owner.ts';
import type { RecordedStep } from '../src/core/store.ts';
import type { Entry, Listing } from '../src/core/types.ts';
import { readOwner } from '../src/sys/owner-attribute.ts';

/** Where the owners of a folder's files are written down, if not with the files themselves. */
export type OwnerSource = RecordedStep | { readonly beside: readonly PathOwner[] };

/** Finds what is recorded of files: with the file itself, by its inode, or for what it was copied up from. */
export class RecordedOwners {
  readonly #beside: ReadonlyMap<string, string>;
  readonly #journal: ReadonlyMap<string, string>;
  readonly #below: ReadonlyMap<string, string>;
  readonly #lower: readonly string[];
  readonly #made: RecordedStep['made'];

  constructor(source: OwnerSource) {
    const step = 'beside' in source ? nothing : source;
    this.#beside = byPath('beside' in source ? source.beside : []);
    this.#journal = new Map(step.journal.map((row) => [keyOf(row), row.owner]));
    this.#below = byPath(step.below);
    this.#lower = step.lower;
    this.#made = step.made;
  }

  /** The owner of what lies at `full`, `path` in its folder; root where nothing is recorded. */
  ownerOf(full: string, path: string): Owner {
    const stat = lstatSync(pathOf(full), { bigint: true });
    const carried = stat.isFile() || stat.isDirectory() ? readOwner(pathOf(full)) : undefined;
    if (carried !== undefined) return carried;
    const born = String(stat.birthtimeNs);
    const text =
      this.#beside.get(path) ??
      this.#journal.get(keyOf({ inode: String(stat.ino), born })) ??
      this.#lowerOwner(path, born);
    return (text === undefined ? this.#newOwner(full, path) : parseOwner(text)) ?? rootOwner;
  }

  /** What is in no layer below was made by the step. */
  #newOwner(full: string, path: string): Owner | undefined {
    if (this.#made === undefined || this.#lower.length === 0 || path === '') return undefined;
    if (this.#lower.some((tree) => isThere(`${tree}/${path}`))) return undefined;
    const { uid, gid } = this.#made;
    const folder = full.slice(0, full.lastIndexOf('/'));
    const inherits = (lstatSync(pathOf(folder)).mode & SETGID) !== 0;
    return { uid, gid: inherits ? this.ownerOf(folder, path.replace(/\/?[^/]*$/, '')).gid : gid };
  }

  /** A file that was copied up keeps the inode of the lower one in the eyes of the step, and is born anew. */
  #lowerOwner(path: string, born: string): string | undefined {
    if (this.#journal.size === 0 && this.#below.size === 0) return undefined;
    for (const tree of this.#lower) {
      const lower = `${tree}/${path}`;
      const stat = lstatSync(pathOf(lower), { bigint: true, throwIfNoEntry: false });
      if (stat !== undefined)
        return this.#journal.get(keyOf({ inode: String(stat.ino), born })) ?? this.#below.get(lower);
    }
    return undefined;
  }
}

/** The owners of a tree's files that the files cannot carry themselves: links, fifos, and all on some file systems. */
export function ownersBeside(tree: string, listing: Listing): PathOwner[] {
  return listing.flatMap((entry) => {
    const owner = ownerOfEntry(entry);
    if (owner === undefined || isCarried(`${tree}/${entry.path}`, owner)) return [];
    return [{ path: entry.path, owner: ownerText(owner) }];
  });
}

/** What an entry says beyond root's own files: undefined where there is nothing to keep. */
export function ownerOfEntry({ type, uid, gid, device }: Entry): Owner | undefined {
  if (type === 'hardlink' || type === 'whiteout' || type === 'opaque') return undefined;
  if (type === 'char' || type === 'block')
    return { uid, gid, device: { type, major: 0, minor: 0, ...device } };
  return uid === 0 && gid === 0 ? undefined : { uid, gid };
}

/** True where the file itself says that it has this owner. */
export function isCarried(full: string, owner: Owner): boolean {
  const carried = readOwner(pathOf(full));
  return carried !== undefined && ownerText(carried) === ownerText(owner);
}

const SETGID = 0o2000;

function isThere(full: string): boolean {
  return lstatSync(pathOf(full), { throwIfNoEntry: false }) !== undefined;
}

const nothing: RecordedStep = { journal: [], lower: [], below: [] };

function byPath(rows: readonly PathOwner[]): Map<string, string> {
  return new Map(rows.map(({ path, owner }) => [path, owner]));
}

function keyOf({ inode, born }: Pick<InodeOwner, 'inode' | 'born'>): string {
  return `${inode} ${born}`;
}
