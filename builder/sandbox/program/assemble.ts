import { constants } from 'node:os';
import { bytesOf } from '../../../src/core/bytes.ts';
import { BuildError } from '../../../src/core/errors.ts';
import { type CallTable, syscallNumbers } from '../syscall-numbers.ts';
import {
  type Block,
  block,
  type Call,
  type Content,
  call,
  from,
  type Item,
  type Label,
  type Word,
} from './calls.ts';
import { elfFile } from './elf.ts';
import { interpreters, layout, machineCode, record } from './interpreter.ts';

/** A program as a file that the kernel executes, and its calls by the numbers of their records. */
export interface Program {
  readonly file: Buffer;
  readonly calls: readonly Call[];
}

/** The descriptor on which a program tells what fails: two words, the number of the call and errno. */
export const CHANNEL = 3;
/** How a program ends when one of its calls failed. */
export const FAILED = 125;

/** Where the interpreter keeps the last call that failed, and errno. */
export const lastFailure = block([0, 0]);
const onFailure: readonly Call[] = [
  call('write', [CHANNEL, lastFailure, 16], { tolerate: 'all' }),
  call('exit_group', [FAILED]),
];

/** Whether programs can be made for an architecture (as Node names it). */
export function canAssemble(architecture: string = process.arch): boolean {
  return Object.hasOwn(interpreters, architecture);
}

/**
 * Makes a program of `items`. A call that fails with an error it does not tolerate is told on the channel and ends the
 * process with 125. The list has to end with a call that does not come back.
 */
export function assemble(items: readonly Item[], architecture: string = process.arch): Program {
  const interpreter = interpreters[architecture];
  if (interpreter === undefined) throw new Error(`no interpreter for ${architecture}`);
  const whole = [...onFailure, ...items];
  const calls = whole.filter((item) => item.kind === 'call');
  const data = new Data(layout.onFailure + calls.length * record.size);
  data.place(lastFailure, layout.failure);
  const numbers = syscallNumbers(architecture as CallTable);
  const targets = targetsOf(whole);
  const records = whole.flatMap((item, index) =>
    item.kind === 'call' ? [encode(item, { number: numberOf(item, numbers), index, targets, data })] : [],
  );
  for (const [number, one] of records.entries()) one.writeUInt32LE(number, 4);
  const content = Buffer.concat([Buffer.alloc(layout.onFailure - layout.failure), ...records, data.whole()]);
  const file = elfFile(interpreter.elf, [
    { address: layout.code, rights: 'read-execute', content: machineCode(interpreter) },
    { address: layout.failure, rights: 'read-write', content },
  ]);
  return { file, calls };
}

/** Addresses of records. */
interface Targets {
  /** What follows each item. */
  readonly following: readonly number[];
  readonly of: (label: Label) => number;
}

interface Around {
  readonly number: number;
  readonly index: number;
  readonly targets: Targets;
  readonly data: Data;
}

/** An item leads to the first call at or behind it, or where its goto says. */
function targetsOf(items: readonly Item[]): Targets {
  const labels = new Map(items.flatMap((item, at) => (item.kind === 'label' ? [[item, at] as const] : [])));
  const addresses = recordAddresses(items);
  const lead = (at: number): number => {
    const item = items[at];
    if (item?.kind === 'goto') return lead(placeOf(labels, item.label));
    return item?.kind === 'label' ? lead(at + 1) : (addresses[at] ?? 0);
  };
  const following = items.map((_, at) => lead(at + 1));
  return { following, of: (one) => lead(placeOf(labels, one)) };
}

function recordAddresses(items: readonly Item[]): readonly number[] {
  let next = layout.onFailure;
  return items.map((item) => {
    const address = next;
    if (item.kind === 'call') next += record.size;
    return address;
  });
}

function placeOf(labels: ReadonlyMap<Label, number>, one: Label): number {
  const found = labels.get(one);
  if (found === undefined) throw new Error('a label is not in its program');
  return found;
}

function encode(
  { args, result, when, tolerate = [], otherwise }: Call,
  { number, index, targets, data }: Around,
): Buffer {
  const out = Buffer.alloc(record.size);
  const word = (offset: number, value: number): void => void out.writeBigUInt64LE(BigInt(value), offset);
  const next = targets.following[index]!;
  out.writeUInt32LE(number, 0);
  for (let i = 0; i < 6; i++) word(record.arguments + 8 * i, data.cell(args[i] ?? 0));
  word(record.result, data.cell(result ?? nowhere));
  out.writeBigInt64LE(BigInt(when?.equals ?? 0), record.equals);
  word(record.next, next);
  word(record.equal, when === undefined ? next : targets.of(when.goto));
  tolerated(tolerate).copy(out, record.tolerated);
  word(record.otherwise, otherwise === undefined ? next : targets.of(otherwise));
  return out;
}

const nowhere = from(block());

/** A bit per errno. */
function tolerated(names: NonNullable<Call['tolerate']>): Buffer {
  const bits = Buffer.alloc(16, names === 'all' ? 0xff : 0);
  if (names === 'all') return bits;
  for (const name of names) {
    const errno = constants.errno[name];
    bits[errno >> 3]! |= 1 << (errno & 7);
  }
  return bits;
}

function numberOf({ name }: Call, numbers: ReadonlyMap<string, number>): number {
  const found = numbers.get(name);
  if (found === undefined) throw new Error(`no number for the system call ${name}`);
  return found;
}

/** Memory of a program behind its records; what is the same is kept once. */
class Data {
  readonly #chunks: Buffer[] = [];
  readonly #constants = new Map<bigint, number>();
  readonly #texts = new Map<string, number>();
  readonly #things = new Map<Block | Buffer, number>();
  #end: number;

  constructor(start: number) {
    this.#end = start;
  }

  /** A block that lies elsewhere. */
  place(one: Block, address: number): void {
    this.#things.set(one, address);
  }

  /** The address at which the interpreter reads the argument. */
  cell(argument: Word | Content): number {
    if (typeof argument === 'object' && 'kind' in argument && argument.kind === 'content') {
      return this.#blockAt(argument.block) + argument.offset;
    }
    const value = this.#value(argument);
    const known = this.#constants.get(value);
    if (known !== undefined) return known;
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    const address = this.#add(bytes);
    this.#constants.set(value, address);
    return address;
  }

  whole(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  #value(word: Word): bigint {
    if (typeof word === 'number' || typeof word === 'bigint') return BigInt.asUintN(64, BigInt(word));
    if (typeof word === 'string') return BigInt(this.#text(word));
    if (Buffer.isBuffer(word)) return BigInt(this.#bytes(word));
    return BigInt(word.kind === 'block' ? this.#blockAt(word) : this.#blockAt(word.block) + word.offset);
  }

  #text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const bytes = bytesOf(text);
    if (bytes.includes(0))
      throw new BuildError(
        'sandbox',
        'a word of the step holds a NUL character, which no program can be given',
      );
    const address = this.#add(Buffer.concat([bytes, Buffer.alloc(1)]));
    this.#texts.set(text, address);
    return address;
  }

  #bytes(bytes: Buffer): number {
    const known = this.#things.get(bytes);
    if (known !== undefined) return known;
    const address = this.#add(bytes);
    this.#things.set(bytes, address);
    return address;
  }

  /** The block has its address before its words are known: they may lead back to it. */
  #blockAt(one: Block): number {
    const known = this.#things.get(one);
    if (known !== undefined) return known;
    const bytes = Buffer.alloc(one.words.length * 8);
    const address = this.#add(bytes);
    this.#things.set(one, address);
    for (const [i, word] of one.words.entries()) bytes.writeBigUInt64LE(this.#value(word), i * 8);
    return address;
  }

  /** Each thing begins at a multiple of eight. */
  #add(bytes: Buffer): number {
    const address = this.#end;
    const padding = -bytes.length & 7;
    this.#chunks.push(bytes, ...(padding === 0 ? [] : [Buffer.alloc(padding)]));
    this.#end += bytes.length + padding;
    return address;
  }
}
