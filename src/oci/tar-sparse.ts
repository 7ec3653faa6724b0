import { blockSize, numberAt, tarError } from './tar-header.ts';
import { decimal } from './tar-pax.ts';

/** Takes the bytes of an entry's body. */
export interface Sink {
  write(bytes: Buffer): void;
  end(): void;
}

/** Bytes of holes that one archive may expand to; more is an attack or of no use in an image. */
const maxHoleBytes = 64 * 2 ** 30;
const maxSegments = 1_000_000;
const zeros = Buffer.alloc(64 * 1024);

/** What is left of an archive's allowance for holes. */
export class HoleBudget {
  #left = maxHoleBytes;

  take(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) {
      throw tarError('holds sparse files of more than 64 GiB', 'Remove the sparse files from the image.');
    }
  }
}

/** Where in the expanded file the stored bytes belong: offset and length of each run, in rising order. */
export class SparseMap {
  readonly size: number;
  readonly offsets: number[] = [];
  readonly lengths: number[] = [];
  #end = 0;

  constructor(size: number) {
    this.size = size;
  }

  add(offset: number, length: number): void {
    const end = offset + length;
    if (offset < this.#end || length < 0 || end > this.size || this.offsets.length >= maxSegments) {
      throw tarError('has a sparse file with a malformed map');
    }
    this.#end = end;
    if (length === 0) return;
    this.offsets.push(offset);
    this.lengths.push(length);
  }
}

/** The map in the pairs of PAX formats 0.0 and 0.1: `offset,length,offset,length`. */
export function addPairs(map: SparseMap, text: string): void {
  if (text === '') return;
  const numbers = text.split(',');
  if (numbers.length % 2 !== 0) throw tarError('has a sparse file with a malformed map');
  for (let i = 0; i < numbers.length; i += 2) map.add(decimal(numbers[i]!), decimal(numbers[i + 1]!));
}

/** Adds `count` runs of an old GNU header or extension block at `start`; an empty one is the last. */
export function addOldRuns(map: SparseMap, block: Buffer, start: number, count: number): void {
  for (let at = start; at < start + count * 24; at += 24) {
    if (block[at] === 0 && block[at + 12] === 0) return;
    map.add(numberAt(block, at, 12), numberAt(block, at + 12, 12));
  }
}

/** Hands the expanded file on: stored bytes at their places, zeros between. */
export class SparseSink implements Sink {
  readonly #map: SparseMap;
  readonly #to: Sink;
  readonly #budget: HoleBudget;
  #run = 0;
  #inRun = 0;
  #at = 0;

  constructor(map: SparseMap, to: Sink, budget: HoleBudget) {
    this.#map = map;
    this.#to = to;
    this.#budget = budget;
  }

  write(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const length = this.#map.lengths[this.#run];
      if (length === undefined) throw tarError('has a sparse file whose map does not fit its content');
      if (this.#inRun === 0) this.#holeTo(this.#map.offsets[this.#run]!);
      const take = Math.min(length - this.#inRun, bytes.length - at);
      this.#to.write(bytes.subarray(at, at + take));
      at += take;
      this.#at += take;
      this.#inRun += take;
      if (this.#inRun < length) continue;
      this.#run++;
      this.#inRun = 0;
    }
  }

  end(): void {
    if (this.#run < this.#map.lengths.length) throw tarError('has a sparse file whose content is cut short');
    this.#holeTo(this.#map.size);
    this.#to.end();
  }

  #holeTo(offset: number): void {
    this.#budget.take(offset - this.#at);
    while (this.#at < offset) {
      const take = Math.min(zeros.length, offset - this.#at);
      this.#to.write(take === zeros.length ? zeros : zeros.subarray(0, take));
      this.#at += take;
    }
  }
}

/** PAX format 1.0: the map stands before the content as decimal lines, filled up to a whole block. */
export class SparseMapSink implements Sink {
  readonly #map: SparseMap;
  readonly #content: SparseSink;
  #digits = '';
  #left = -1;
  #offset = -1;
  #read = 0;

  constructor(map: SparseMap, content: SparseSink) {
    this.#map = map;
    this.#content = content;
  }

  write(bytes: Buffer): void {
    let at = 0;
    while (this.#left !== 0 && at < bytes.length) {
      this.#byte(bytes[at++]!);
      this.#read++;
    }
    if (this.#left !== 0 || at === bytes.length) return;
    const fill = (blockSize - (this.#read % blockSize)) % blockSize;
    const skip = Math.min(fill, bytes.length - at);
    this.#read += skip;
    if (this.#read % blockSize === 0) this.#content.write(bytes.subarray(at + skip));
  }

  end(): void {
    if (this.#left !== 0) throw tarError('has a sparse file with a malformed map');
    this.#content.end();
  }

  #byte(byte: number): void {
    if (byte !== 0x0a) {
      this.#digits += String.fromCharCode(byte);
      if (this.#digits.length > 16) throw tarError('has a sparse file with a malformed map');
      return;
    }
    const value = decimal(this.#digits);
    this.#digits = '';
    if (this.#left < 0) this.#left = Math.min(value, maxSegments + 1) * 2;
    else this.#pair(value);
  }

  #pair(value: number): void {
    if (this.#left % 2 === 0) this.#offset = value;
    else this.#map.add(this.#offset, value);
    this.#left--;
  }
}
