import { bytesOf } from '../../../src/core/bytes.ts';
import { BuildError } from '../../../src/core/errors.ts';
import type { Block, Content, Word } from './calls.ts';

/** Halves of words, low ones first: the machines that programs are made on and for have that order. */
function halvesOf({ buffer }: Buffer): Uint32Array {
  return new Uint32Array(buffer);
}

/** What a program holds in memory from an address on, as it grows; what is the same is kept once. */
export class Memory {
  readonly #base: number;
  readonly #constants = new Map<number | bigint, number>();
  readonly #texts = new Map<string, number>();
  readonly #things = new Map<Block | Buffer, number>();
  #bytes = Buffer.from(new ArrayBuffer(0x8000));
  #halves = halvesOf(this.#bytes);
  #end = 0;

  constructor(base: number) {
    this.#base = base;
  }

  /** The address of room for so many bytes, which are zero; everything begins at a multiple of eight. */
  reserve(length: number): number {
    const at = this.#end;
    this.#end += (length + 7) & ~7;
    if (this.#end > this.#bytes.length) {
      const larger = Buffer.from(new ArrayBuffer(2 * this.#end));
      this.#bytes.copy(larger);
      this.#bytes = larger;
      this.#halves = halvesOf(larger);
    }
    return this.#base + at;
  }

  /** Says that a block is what was reserved at `address`. */
  place(one: Block, address: number): void {
    this.#things.set(one, address);
  }

  /** The address at which the interpreter reads an argument, or keeps a result. */
  cell(argument: Word | Content): number {
    if (typeof argument === 'object' && 'kind' in argument && argument.kind === 'content') {
      return this.#block(argument.block) + argument.offset;
    }
    const value = this.#value(argument);
    const known = this.#constants.get(value);
    if (known !== undefined) return known;
    const address = this.reserve(8);
    this.write(address, value);
    this.#constants.set(value, address);
    return address;
  }

  /** Writes a word of 64 bits at a multiple of eight. */
  write(address: number, value: number | bigint): void {
    const at = (address - this.#base) / 4;
    if (typeof value === 'bigint') {
      this.#halves[at] = Number(value & 0xffffffffn);
      this.#halves[at + 1] = Number((value >> 32n) & 0xffffffffn);
    } else {
      this.#halves[at] = value;
      this.#halves[at + 1] = Math.floor(value / 2 ** 32);
    }
  }

  copy(address: number, bytes: Buffer): void {
    bytes.copy(this.#bytes, address - this.#base);
  }

  whole(): Buffer {
    return this.#bytes.subarray(0, this.#end);
  }

  #value(word: Word): number | bigint {
    if (typeof word === 'number' || typeof word === 'bigint') return word;
    if (typeof word === 'string') return this.#text(word);
    if (Buffer.isBuffer(word)) return this.#content(word);
    return word.kind === 'block' ? this.#block(word) : this.#block(word.block) + word.offset;
  }

  #text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const bytes = bytesOf(text);
    if (bytes.includes(0)) {
      throw new BuildError(
        'sandbox',
        'a word of the step holds a NUL character, which no program can be given',
      );
    }
    const address = this.reserve(bytes.length + 1);
    this.copy(address, bytes);
    this.#texts.set(text, address);
    return address;
  }

  #content(bytes: Buffer): number {
    const known = this.#things.get(bytes);
    if (known !== undefined) return known;
    const address = this.reserve(bytes.length);
    this.copy(address, bytes);
    this.#things.set(bytes, address);
    return address;
  }

  /** The block has its address before its words are known: they may lead back to it. */
  #block(one: Block): number {
    const known = this.#things.get(one);
    if (known !== undefined) return known;
    const address = this.reserve(one.words.length * 8);
    this.#things.set(one, address);
    for (const [i, word] of one.words.entries()) this.write(address + i * 8, this.#value(word));
    return address;
  }
}
