import { nameOf } from '../core/bytes.ts';
import type { Entry, EntryType } from '../core/types.ts';
import {
  blockSize,
  isIntact,
  isZeroBlock,
  numberAt,
  numberField,
  paddingLength,
  tarError,
  textField,
} from './tar-header.ts';
import { named, normalise, shown } from './tar-path.ts';
import { decimal, type PaxRecords, parsePax, paxName, paxNumber, paxTime, paxXattrs } from './tar-pax.ts';
import {
  addOldRuns,
  addPairs,
  HoleBudget,
  type Sink,
  SparseMap,
  SparseMapSink,
  SparseSink,
} from './tar-sparse.ts';

/** Takes what a `TarReader` reads. What these throw comes out of `write`. */
export interface TarHandler {
  /** An entry begins; `size` is that of the content to come (holes of a sparse file included). */
  entry(entry: Entry): void;
  /** Content of the file begun last. The buffer is valid during the call only. */
  data(chunk: Buffer): void;
  /** The entry begun last is complete; called for every entry, also for those without content. */
  end?(): void;
}

type Draft = { -readonly [K in keyof Entry]: Entry[K] };

const maxMetaBytes = 8 * 2 ** 20;
const maxGlobalRecords = 100;
const nothing: Sink = { write() {}, end() {} };
const types: Record<string, EntryType> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'dir',
  '6': 'fifo',
  '7': 'file',
  D: 'dir',
  S: 'file',
};

/**
 * Reads a tar as it is pushed in: v7, ustar, PAX, GNU and its sparse files. Synchronous. Names are bytes
 * (`core/bytes.ts`), paths are relative to the root and never hold `..`; whiteouts are entries of their own types
 * (image-spec, layer.md). Anything malformed throws BuildError `layer`.
 */
export class TarReader {
  readonly #handler: TarHandler;
  readonly #block = Buffer.alloc(blockSize);
  /** Bytes of the block that is gathered over several chunks. */
  #gathered = 0;
  readonly #onHeader = (block: Buffer, at: number): void => this.#header(block, at);
  #onBlock = this.#onHeader;
  #sink: Sink = nothing;
  #body = 0;
  #padding = 0;
  #zeroBlocks = 0;
  #global: PaxRecords | undefined;
  #local: PaxRecords | undefined;
  #longName: Buffer | undefined;
  #longLink: Buffer | undefined;
  readonly #holes = new HoleBudget();
  readonly #content: Sink;

  constructor(handler: TarHandler) {
    this.#handler = handler;
    this.#content = {
      write: (bytes) => handler.data(bytes),
      end: () => handler.end?.(),
    };
  }

  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && this.#zeroBlocks < 2) {
      if (this.#body > 0) at = this.#readBody(chunk, at);
      else if (this.#padding > 0) at = this.#skipPadding(chunk, at);
      else at = this.#readBlock(chunk, at);
    }
  }

  /** The stream is over. Throws where it ends within an entry; the closing zero blocks may be missing. */
  finish(): void {
    const pending = this.#local ?? this.#longName ?? this.#longLink;
    const isWithin = this.#body > 0 || this.#padding > 0 || this.#gathered > 0;
    if (isWithin || pending !== undefined || this.#onBlock !== this.#onHeader) {
      throw tarError('ends in the middle of an entry', 'It was cut short: fetch or make it again.');
    }
  }

  #readBody(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#body);
    this.#body -= end - at;
    const bytes = at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end);
    this.#sink.write(bytes);
    if (this.#body === 0) this.#sink.end();
    return end;
  }

  #skipPadding(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#padding);
    this.#padding -= end - at;
    return end;
  }

  #readBlock(chunk: Buffer, at: number): number {
    if (this.#gathered === 0 && chunk.length - at >= blockSize) {
      this.#onBlock(chunk, at);
      return at + blockSize;
    }
    const end = Math.min(chunk.length, at + blockSize - this.#gathered);
    chunk.copy(this.#block, this.#gathered, at, end);
    this.#gathered += end - at;
    if (this.#gathered < blockSize) return end;
    this.#gathered = 0;
    this.#onBlock(this.#block, 0);
    return end;
  }

  /** `size` bytes of the archive go to `sink`, then blocks are headers again. */
  #expect(size: number, sink: Sink): void {
    this.#body = size;
    this.#padding = paddingLength(size);
    this.#sink = sink;
    if (size === 0) sink.end();
  }

  #header(block: Buffer, at: number): void {
    if (block[at] === 0 && isZeroBlock(block, at)) {
      this.#zeroBlocks++;
      return;
    }
    if (this.#zeroBlocks > 0 || !isIntact(block, at)) {
      throw tarError('is damaged or no tar: a header does not match its checksum');
    }
    const size = numberField(block, at, 'size');
    if (size < 0) throw tarError('has an entry of negative size');
    const type = String.fromCharCode(block[at + 156]!);
    if (type in types) this.#entry(block, at, type, size);
    else this.#meta(type, size);
  }

  /** A header that says something about the next one, or nothing that matters here. */
  #meta(type: string, size: number): void {
    if (type === 'x' || type === 'X') this.#gather(size, (body) => this.#setLocal(parsePax(body)));
    else if (type === 'g') this.#gather(size, (body) => this.#addGlobal(parsePax(body)));
    else if (type === 'L') this.#gather(size, (body) => this.#setLongName(withoutNul(body)));
    else if (type === 'K') this.#gather(size, (body) => this.#setLongLink(withoutNul(body)));
    else if (type === 'V') this.#expect(size, nothing);
    else throw tarError(`has an entry of an unknown type (${shown(type)})`);
  }

  #gather(size: number, done: (body: Buffer) => void): void {
    if (size > maxMetaBytes) throw tarError('has an extended header of more than 8 MiB');
    const body = Buffer.allocUnsafe(size);
    let filled = 0;
    const write = (bytes: Buffer): void => {
      filled += bytes.copy(body, filled);
    };
    this.#expect(size, { write, end: () => done(body) });
  }

  #setLocal(records: PaxRecords): void {
    this.#local = this.#global === undefined ? records : new Map([...this.#global, ...records]);
  }

  #addGlobal(records: PaxRecords): void {
    this.#global = this.#global === undefined ? records : new Map([...this.#global, ...records]);
    // They are copied for every entry: many of them would make reading as slow as an attacker likes.
    if (this.#global.size > maxGlobalRecords) throw tarError('has a global header with too many records');
  }

  #setLongName(name: Buffer): void {
    this.#longName = name;
  }

  #setLongLink(name: Buffer): void {
    this.#longLink = name;
  }

  #entry(block: Buffer, at: number, flag: string, headerSize: number): void {
    const pax = this.#local ?? this.#global;
    const written = this.#nameIn(block, at, pax);
    const place = named(normalise(written));
    const type = flag === '\0' || flag === '0' ? (written.endsWith('/') ? 'dir' : 'file') : types[flag]!;
    const stored = hasNoBody(flag) ? 0 : ((pax && paxNumber(pax, 'size')) ?? headerSize);
    const entry: Draft = {
      path: place.path,
      type: place.kind === 'whiteout' || place.kind === 'opaque' ? place.kind : type,
      mode: numberField(block, at, 'mode') & 0o7777,
      uid: numberField(block, at, 'uid'),
      gid: numberField(block, at, 'gid'),
      size: 0,
      mtime: numberField(block, at, 'mtime'),
    };
    if (entry.type === 'file') entry.size = stored;
    if (entry.type === 'char' || entry.type === 'block') entry.device = deviceIn(block, at);
    if (pax !== undefined) applyPax(entry, pax);
    if (entry.type === 'symlink' || entry.type === 'hardlink') this.#link(entry, block, at, pax);
    if (place.kind === 'skip') this.#expect(stored, nothing);
    else this.#begin(checked(entry), stored, { block, at, flag, pax });
    this.#local = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
  }

  #nameIn(block: Buffer, at: number, pax: PaxRecords | undefined): string {
    const chosen =
      (pax && (paxName(pax, 'GNU.sparse.name') ?? paxName(pax, 'path'))) ?? this.#longName ?? undefined;
    return nameOf(chosen ?? headerName(block, at));
  }

  #link(entry: Draft, block: Buffer, at: number, pax: PaxRecords | undefined): void {
    const chosen = (pax && paxName(pax, 'linkpath')) ?? this.#longLink ?? textField(block, at, 'link');
    const target = nameOf(chosen);
    entry.link = entry.type === 'hardlink' ? normalise(target) : target;
    if (entry.link === '') throw tarError(`has a link without a target: ${shown(entry.path)}`);
  }

  #begin(entry: Draft, stored: number, header: Header): void {
    const map = entry.type === 'file' ? sparseMapOf(header) : undefined;
    if (map !== undefined) entry.size = map.size;
    this.#handler.entry(entry);
    if (map === undefined) this.#expect(stored, entry.type === 'file' ? this.#content : this.#ending());
    else if (header.flag === 'S') this.#beginOldSparse(map, stored, header);
    else this.#beginPaxSparse(map, stored, header.pax!);
  }

  /** For a body that no handler wants: nothing of it, but the end of the entry. */
  #ending(): Sink {
    return { write() {}, end: this.#content.end };
  }

  #beginPaxSparse(map: SparseMap, stored: number, pax: PaxRecords): void {
    const content = new SparseSink(map, this.#content, this.#holes);
    const pairs = pax.get('GNU.sparse.map');
    if (pairs !== undefined) addPairs(map, pairs.toString('latin1'));
    this.#expect(stored, pairs === undefined ? new SparseMapSink(map, content) : content);
  }

  /** Old GNU: four runs in the header, 21 in each extension block that follows. */
  #beginOldSparse(map: SparseMap, stored: number, { block, at }: Header): void {
    const begin = (): void => this.#expect(stored, new SparseSink(map, this.#content, this.#holes));
    addOldRuns(map, block, at + 386, 4);
    if (block[at + 482] === 0) {
      begin();
      return;
    }
    this.#onBlock = (extension, start) => {
      addOldRuns(map, extension, start, 21);
      if (extension[start + 504] !== 0) return;
      this.#onBlock = this.#onHeader;
      begin();
    };
  }
}

interface Header {
  readonly block: Buffer;
  readonly at: number;
  readonly flag: string;
  readonly pax: PaxRecords | undefined;
}

/** Types whose size field counts nothing in the archive, as GNU tar and Go read them. */
function hasNoBody(flag: string): boolean {
  return flag >= '1' && flag <= '6';
}

/** The name of a header with the prefix of its format: none in v7 and, but for early Go programs, in GNU. */
function headerName(block: Buffer, at: number): Buffer {
  const name = textField(block, at, 'name');
  const magic = textField(block, at, 'magic').toString('latin1');
  if (!magic.startsWith('ustar') || block[at + 345] === 0) return name;
  if (magic.startsWith('ustar  ') && isNumberByte(block[at + 345]!)) return name;
  const isStar = block.toString('latin1', at + 508, at + 512) === 'tar\0';
  const prefix = isStar ? firstText(block, at + 345, 131) : textField(block, at, 'prefix');
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]);
}

/** Where GNU keeps a time: an octal digit, a blank or the mark of base-256. */
function isNumberByte(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x37) || byte === 0x20 || byte >= 0x80;
}

function firstText(block: Buffer, at: number, length: number): Buffer {
  return withoutNul(block.subarray(at, at + length));
}

function withoutNul(bytes: Buffer): Buffer {
  const nul = bytes.indexOf(0);
  return nul < 0 ? bytes : bytes.subarray(0, nul);
}

function deviceIn(block: Buffer, at: number): { major: number; minor: number } {
  return { major: numberField(block, at, 'major'), minor: numberField(block, at, 'minor') };
}

function applyPax(entry: Draft, pax: PaxRecords): void {
  entry.uid = paxNumber(pax, 'uid') ?? entry.uid;
  entry.gid = paxNumber(pax, 'gid') ?? entry.gid;
  const mtime = paxTime(pax, 'mtime');
  if (mtime !== undefined) entry.mtime = mtime.seconds;
  if (mtime !== undefined && mtime.ns > 0) entry.mtimeNs = mtime.ns;
  const xattrs = paxXattrs(pax);
  if (xattrs !== undefined) entry.xattrs = xattrs;
}

function checked(entry: Draft): Draft {
  if (entry.path === '' && entry.type !== 'dir' && entry.type !== 'opaque') {
    throw tarError('has an entry without a name');
  }
  if (entry.uid < 0 || entry.gid < 0)
    throw tarError(`has an entry with a negative owner: ${shown(entry.path)}`);
  return entry;
}

/** An empty map for a sparse file, or undefined for any other. */
function sparseMapOf({ block, at, flag, pax }: Header): SparseMap | undefined {
  if (flag === 'S') return new SparseMap(numberAt(block, at + 483, 12));
  if (pax === undefined) return undefined;
  const major = pax.get('GNU.sparse.major')?.toString('latin1') ?? '0';
  const minor = pax.get('GNU.sparse.minor')?.toString('latin1') ?? '0';
  const isMapped = pax.has('GNU.sparse.map');
  if (major === '0' && !isMapped) return undefined;
  if (!(major === '1' && minor === '0') && !(major === '0' && isMapped)) {
    throw tarError(`has a sparse file of an unknown format (${shown(`${major}.${minor}`)})`);
  }
  const size = pax.get('GNU.sparse.realsize') ?? pax.get('GNU.sparse.size');
  if (size === undefined) throw tarError('has a sparse file without a size');
  return new SparseMap(decimal(size.toString('latin1')));
}
