import { bytesOf, nameOf } from '../src/core/bytes.ts';
import { type Digest, hexOf, keyOf } from '../src/core/digest.ts';
import type { FileState, StatCache } from '../src/core/store.ts';
import type { Home } from './home.ts';

/** A file's state and digest, as one row of the file on disk. */
interface Row {
  readonly state: FileState;
  readonly digest: Digest;
}

/** dev, ino, size, mtime and ctime as doubles, then the digest: numbers side by side. */
const rowBytes = 5 * 8 + 32;
const digestAt = 5 * 8;
const magic = 'tsbuild stat 2\n';

/**
 * Remembered file digests of one context folder, as git's index does it: a digest counts only for exactly the same
 * state of the file. A file that was changed after this cache was opened, or so shortly before that a further change
 * could bear the same times, is not remembered: it is read again next time.
 */
export function openStatCache(home: Home, folder: string): StatCache {
  return new Table(home, home.path('stat', hexOf(keyOf(folder))));
}

class Table implements StatCache {
  readonly #home: Home;
  readonly #file: string;
  readonly #openedMs = Date.now();
  /** Where the row of a path stands in `#bytes`. */
  readonly #known: ReadonlyMap<string, number>;
  readonly #bytes: Buffer;
  readonly #view: DataView;
  /** Rows to be written again: those that still hold by their place, new ones as they are. */
  readonly #kept = new Map<string, Row | number>();
  #learnt = false;

  constructor(home: Home, file: string) {
    this.#home = home;
    this.#file = file;
    const { bytes, rows } = load(home, file);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#known = rows;
  }

  digest(path: string, stat: FileState): Digest | undefined {
    const kept = this.#kept.get(path);
    if (typeof kept === 'object') return sameState(kept.state, stat) ? kept.digest : undefined;
    const at = this.#known.get(path);
    if (at === undefined || !isRow(this.#view, at, stat)) return undefined;
    this.#kept.set(path, at);
    return `sha256:${this.#bytes.toString('hex', at + digestAt, at + rowBytes)}`;
  }

  remember(path: string, stat: FileState, digest: Digest): void {
    if (this.#isRacy(stat)) return;
    const at = this.#kept.get(path);
    if (typeof at === 'number' && isRow(this.#view, at, stat) && this.#hasDigest(at, digest)) return;
    this.#learnt = true;
    this.#kept.set(path, { state: stat, digest });
  }

  async save(): Promise<void> {
    if (!this.#learnt && this.#kept.size === this.#known.size) return;
    this.#home.writeChecked(this.#file, encode(this.#kept, this.#bytes));
    this.#learnt = false;
  }

  #hasDigest(at: number, digest: Digest): boolean {
    return this.#bytes.toString('hex', at + digestAt, at + rowBytes) === hexOf(digest);
  }

  /** Clocks of file systems tick every few milliseconds, those of some only every two seconds. */
  #isRacy({ ctimeMs, mtimeMs }: FileState): boolean {
    const coarse = ctimeMs % 1000 === 0 && mtimeMs % 1000 === 0;
    return ctimeMs >= this.#openedMs - (coarse ? 2000 : 20);
  }
}

function sameState(a: FileState, b: FileState): boolean {
  return (
    a.mtimeMs === b.mtimeMs &&
    a.ctimeMs === b.ctimeMs &&
    a.size === b.size &&
    a.ino === b.ino &&
    a.dev === b.dev
  );
}

function isRow(view: DataView, at: number, stat: FileState): boolean {
  return (
    view.getFloat64(at, true) === stat.dev &&
    view.getFloat64(at + 8, true) === stat.ino &&
    view.getFloat64(at + 16, true) === stat.size &&
    view.getFloat64(at + 24, true) === stat.mtimeMs &&
    view.getFloat64(at + 32, true) === stat.ctimeMs
  );
}

/** Layout: magic, number of rows (u32), rows, then the paths in the same order, each ended by a NUL. */
function encode(rows: ReadonlyMap<string, Row | number>, known: Buffer): Buffer {
  const head = Buffer.alloc(magic.length + 4 + rows.size * rowBytes);
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  head.write(magic, 'latin1');
  head.writeUInt32LE(rows.size, magic.length);
  let at = magic.length + 4;
  for (const row of rows.values()) {
    if (typeof row === 'number') known.copy(head, at, row, row + rowBytes);
    else putRow({ head, view, at }, row);
    at += rowBytes;
  }
  return Buffer.concat([head, bytesOf([...rows.keys(), ''].join('\0'))]);
}

interface Place {
  readonly head: Buffer;
  readonly view: DataView;
  readonly at: number;
}

function putRow({ head, view, at }: Place, { state, digest }: Row): void {
  view.setFloat64(at, state.dev, true);
  view.setFloat64(at + 8, state.ino, true);
  view.setFloat64(at + 16, state.size, true);
  view.setFloat64(at + 24, state.mtimeMs, true);
  view.setFloat64(at + 32, state.ctimeMs, true);
  head.write(hexOf(digest), at + digestAt, 'hex');
}

function load(home: Home, file: string): { bytes: Buffer; rows: Map<string, number> } {
  const rows = new Map<string, number>();
  const bytes = home.readChecked(file) ?? Buffer.alloc(0);
  if (bytes.length === 0) return { bytes, rows };
  const start = magic.length + 4;
  const count = bytes.length >= start ? bytes.readUInt32LE(magic.length) : 0;
  const paths = nameOf(bytes.subarray(Math.min(start + count * rowBytes, bytes.length))).split('\0');
  if (
    bytes.toString('latin1', 0, magic.length) !== magic ||
    paths.length !== count + 1 ||
    paths[count] !== ''
  ) {
    home.warn(`${file} is damaged; the context is read anew`);
    return { bytes, rows };
  }
  for (let i = 0; i < count; i++) rows.set(paths[i]!, start + i * rowBytes);
  return { bytes, rows };
}
