import { bytesOf, nameOf } from '../src/core/bytes.ts';
import { type Digest, hexOf, keyOf } from '../src/core/digest.ts';
import type { FileState, StatCache } from '../src/core/store.ts';
import type { Home } from './home.ts';

/** A file's state and digest, as one row of the file on disk. */
interface Row {
  readonly state: FileState;
  readonly digest: Digest;
}

/** dev, ino, size as doubles, mtime and ctime as 64-bit nanoseconds, the digest: numbers side by side. */
const rowBytes = 3 * 8 + 2 * 8 + 32;
const magic = 'tsbuild stat 1\n';

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
  readonly #openedNs = BigInt(Date.now()) * 1_000_000n;
  readonly #known: Map<string, number>;
  readonly #bytes: Buffer;
  readonly #kept = new Map<string, Row>();
  #learnt = false;

  constructor(home: Home, file: string) {
    this.#home = home;
    this.#file = file;
    const { bytes, rows } = load(home, file);
    this.#bytes = bytes;
    this.#known = rows;
  }

  digest(path: string, stat: FileState): Digest | undefined {
    const kept = this.#kept.get(path);
    if (kept !== undefined) return sameState(kept.state, stat) ? kept.digest : undefined;
    const at = this.#known.get(path);
    if (at === undefined || !isRow(this.#bytes, at, stat)) return undefined;
    const digest: Digest = `sha256:${this.#bytes.toString('hex', at + 40, at + rowBytes)}`;
    this.#kept.set(path, { state: stat, digest });
    return digest;
  }

  remember(path: string, stat: FileState, digest: Digest): void {
    if (this.#isRacy(stat)) return;
    this.#learnt = true;
    this.#kept.set(path, { state: stat, digest });
  }

  async save(): Promise<void> {
    if (!this.#learnt && this.#kept.size === this.#known.size) return;
    this.#home.writeChecked(this.#file, encode(this.#kept));
    this.#learnt = false;
  }

  /** Clocks of file systems tick every few milliseconds, those of some only every two seconds. */
  #isRacy(stat: FileState): boolean {
    const coarse = stat.ctimeNs % 1_000_000_000n === 0n && stat.mtimeNs % 1_000_000_000n === 0n;
    return stat.ctimeNs >= this.#openedNs - (coarse ? 2_000_000_000n : 20_000_000n);
  }
}

function sameState(a: FileState, b: FileState): boolean {
  return (
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs &&
    a.size === b.size &&
    a.ino === b.ino &&
    a.dev === b.dev
  );
}

function isRow(bytes: Buffer, at: number, stat: FileState): boolean {
  return (
    bytes.readDoubleLE(at) === stat.dev &&
    bytes.readDoubleLE(at + 8) === stat.ino &&
    bytes.readDoubleLE(at + 16) === stat.size &&
    bytes.readBigInt64LE(at + 24) === stat.mtimeNs &&
    bytes.readBigInt64LE(at + 32) === stat.ctimeNs
  );
}

/** Layout: magic, number of rows (u32), rows, then the paths in the same order, each ended by a NUL. */
function encode(rows: ReadonlyMap<string, Row>): Buffer {
  const head = Buffer.alloc(magic.length + 4 + rows.size * rowBytes);
  head.write(magic, 'latin1');
  head.writeUInt32LE(rows.size, magic.length);
  let at = magic.length + 4;
  for (const { state, digest } of rows.values()) {
    head.writeDoubleLE(state.dev, at);
    head.writeDoubleLE(state.ino, at + 8);
    head.writeDoubleLE(state.size, at + 16);
    head.writeBigInt64LE(state.mtimeNs, at + 24);
    head.writeBigInt64LE(state.ctimeNs, at + 32);
    head.write(hexOf(digest), at + 40, 'hex');
    at += rowBytes;
  }
  return Buffer.concat([head, bytesOf([...rows.keys(), ''].join('\0'))]);
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
