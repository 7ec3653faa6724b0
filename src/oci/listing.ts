import type { Hash } from 'node:crypto';
import { type Digest, digestOf, finish, hasher } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { Entry, EntryType, Listing } from '../core/types.ts';
import type { TarHandler } from './tar-read.ts';

type Draft = { -readonly [K in keyof Entry]: Entry[K] };

const emptyDigest = digestOf('');

/** Makes a layer's listing while a `TarReader` reads its tar: collects the entries and hashes their content. */
export class ListingBuilder implements TarHandler {
  readonly #entries = new Map<string, Entry>();
  readonly #whiteouts = new Map<string, Entry>();
  readonly #opaques = new Map<string, Entry>();
  #current: Draft | undefined;
  #hash: Hash | undefined;
  #hasReplacedDir = false;

  entry(entry: Entry): void {
    this.#current = { ...entry };
    if (entry.type === 'whiteout') this.#whiteouts.set(entry.path, this.#current);
    else if (entry.type === 'opaque') this.#opaques.set(entry.path, this.#current);
    else this.#put(this.#current);
    this.#hash = entry.type === 'file' && entry.size > 0 ? hasher() : undefined;
  }

  data(chunk: Buffer): void {
    this.#hash?.update(chunk);
  }

  end(): void {
    const current = this.#current!;
    if (current.type === 'file') current.digest = this.#hash === undefined ? emptyDigest : finish(this.#hash);
  }

  /** The listing: of entries with one path the last counts, as it does where the tar is unpacked. */
  finish(): Listing {
    this.#resolveWhiteouts();
    if (this.#hasReplacedDir) this.#dropBelowFiles();
    return sorted([...this.#entries.values(), ...this.#whiteouts.values(), ...this.#opaques.values()]);
  }

  #put(entry: Entry): void {
    const former = this.#entries.get(entry.path);
    if (former?.type === 'dir' && entry.type !== 'dir') this.#hasReplacedDir = true;
    this.#entries.set(entry.path, entry);
  }

  /** A whiteout hides the layers below only: beside a directory of this layer it is an opaque mark, else nothing. */
  #resolveWhiteouts(): void {
    for (const [path, whiteout] of this.#whiteouts) {
      const own = this.#entries.get(path);
      if (own === undefined) continue;
      this.#whiteouts.delete(path);
      if (own.type === 'dir') this.#opaques.set(path, { ...whiteout, type: 'opaque' });
    }
  }

  /** What stood in a directory that a later entry replaced by something else is gone with it. */
  #dropBelowFiles(): void {
    for (const entry of sorted([...this.#entries.values()])) {
      const parent = this.#entries.get(folderOf(entry.path));
      const isLost = this.#lost.has(folderOf(entry.path)) || (parent !== undefined && parent.type !== 'dir');
      if (!isLost || entry.path === '') continue;
      this.#lost.add(entry.path);
      this.#entries.delete(entry.path);
    }
  }

  readonly #lost = new Set<string>();
}

/** Entries in the order of a listing. */
export function sorted(entries: readonly Entry[]): Listing {
  return [...entries].sort((a, b) =>
    a.path < b.path ? -1 : a.path > b.path ? 1 : Number(a.type === 'opaque') - Number(b.type === 'opaque'),
  );
}

/** Version of the form below; another one is refused. */
const version = 1;
const types: readonly EntryType[] = [
  'file',
  'dir',
  'symlink',
  'hardlink',
  'char',
  'block',
  'fifo',
  'whiteout',
  'opaque',
];
const digitOf = Object.fromEntries(types.map((type, i) => [type, String(i)])) as Record<EntryType, string>;
/** Cannot stand in a normalised path. */
const separator = '//';
const hexLength = 64;

/**
 * A listing by columns: reading one object with long arrays is several times faster than reading an object per
 * entry. What few entries have stands by index.
 */
interface Columns {
  readonly version: number;
  readonly count: number;
  readonly paths: string;
  /** One digit each: the index in `types`. */
  readonly types: string;
  readonly modes: readonly number[];
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly sizes: readonly number[];
  readonly mtimes: readonly number[];
  /** The hexadecimal digests of all entries that have one, in order, joined. */
  readonly digests: string;
  /** `1` where the entry has a digest. */
  readonly digested: string;
  readonly rare: readonly (readonly [number, Rare])[];
}

type Rare = Pick<Entry, 'mtimeNs' | 'link' | 'xattrs' | 'device'>;

/** Directories that something lies in and that have no entry of their own, sorted; never the root. */
export function impliedDirectories(listing: Listing): string[] {
  const listed = new Set(listing.filter((entry) => entry.type === 'dir').map((entry) => entry.path));
  const implied = new Set<string>();
  for (const { path, type } of listing) {
    if (type === 'whiteout' || type === 'opaque') continue;
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const parent = path.slice(0, at);
      if (listed.has(parent) || implied.has(parent)) break;
      implied.add(parent);
    }
  }
  return [...implied].sort();
}

/** The bytes in which a listing is kept. */
export function encodeListing(listing: Listing): Buffer {
  const count = listing.length;
  const paths = new Array<string>(count);
  const numbers = Array.from({ length: 5 }, () => new Array<number>(count));
  const [modes, uids, gids, sizes, mtimes] = numbers as [number[], number[], number[], number[], number[]];
  const [rare, hex] = [[] as [number, Rare][], [] as string[]];
  let [kinds, digested] = ['', ''];
  for (const [i, entry] of listing.entries()) {
    paths[i] = entry.path;
    kinds += digitOf[entry.type];
    modes[i] = entry.mode;
    uids[i] = entry.uid;
    gids[i] = entry.gid;
    sizes[i] = entry.size;
    mtimes[i] = entry.mtime;
    digested += entry.digest === undefined ? '0' : '1';
    if (entry.digest !== undefined) hex.push(entry.digest.slice(7));
    if (isRare(entry)) rare.push([i, rareOf(entry)]);
  }
  const columns: Columns = {
    version,
    count,
    paths: paths.join(separator),
    types: kinds,
    modes,
    uids,
    gids,
    sizes,
    mtimes,
    digests: hex.join(''),
    digested,
    rare,
  };
  return Buffer.from(JSON.stringify(columns));
}

/** The listing in bytes of `encodeListing`; throws `store` for any others. */
export function decodeListing(bytes: Buffer): Listing {
  const columns = parseColumns(bytes);
  const paths = columns.count === 0 ? [] : columns.paths.split(separator);
  checkColumns(columns, paths);
  const rare = new Map(columns.rare);
  const entries = new Array<Entry>(paths.length);
  let hex = 0;
  for (let i = 0; i < paths.length; i++) {
    const entry: Draft = {
      path: paths[i]!,
      type: types[columns.types.charCodeAt(i) - 48]!,
      mode: columns.modes[i]!,
      uid: columns.uids[i]!,
      gid: columns.gids[i]!,
      size: columns.sizes[i]!,
      mtime: columns.mtimes[i]!,
    };
    if (columns.digested[i] === '1') {
      entry.digest = `sha256:${columns.digests.slice(hex, hex + hexLength)}` as Digest;
      hex += hexLength;
    }
    const more = rare.get(i);
    entries[i] = more === undefined ? entry : Object.assign(entry, more);
  }
  return entries;
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

function isRare({ mtimeNs, link, xattrs, device }: Entry): boolean {
  return mtimeNs !== undefined || link !== undefined || xattrs !== undefined || device !== undefined;
}

function rareOf({ mtimeNs, link, xattrs, device }: Entry): Rare {
  return {
    ...(mtimeNs !== undefined && { mtimeNs }),
    ...(link !== undefined && { link }),
    ...(xattrs !== undefined && { xattrs }),
    ...(device !== undefined && { device }),
  };
}

function parseColumns(bytes: Buffer): Columns {
  let columns: Columns | null;
  try {
    columns = JSON.parse(bytes.toString('utf8')) as Columns | null;
  } catch (cause) {
    throw new BuildError('store', 'a kept listing is damaged', { cause });
  }
  if (columns?.version !== version) throw new BuildError('store', 'a kept listing is of an unknown version');
  return columns;
}

function checkColumns(columns: Columns, paths: readonly string[]): void {
  const { count } = columns;
  const numbers = [columns.modes, columns.uids, columns.gids, columns.sizes, columns.mtimes];
  const texts = [columns.types, columns.digested];
  const isWhole =
    paths.length === count &&
    numbers.every((column) => Array.isArray(column) && column.length === count) &&
    texts.every((column) => typeof column === 'string' && column.length === count) &&
    /^[0-8]*$/.test(columns.types) &&
    columns.digests.length === hexLength * (columns.digested.split('1').length - 1) &&
    Array.isArray(columns.rare);
  if (!isWhole) throw new BuildError('store', 'a kept listing is damaged');
}
