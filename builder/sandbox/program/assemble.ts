import { constants } from 'node:os';
import { type CallTable, syscallNumbers } from '../syscall-numbers.ts';
import { block, type Call, call, from, type Item, type Label } from './calls.ts';
import { elfFile } from './elf.ts';
import { interpreters, layout, machineCode, record } from './interpreter.ts';
import { Memory } from './memory.ts';

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

/** Holds the place of the call by which a program of two files begins: see `loaderOf`. */
const begin = call('getpid', [], { about: 'be loaded' });

/** The descriptor from which a loader takes the program that it becomes. */
export const LOADED = 4;
const READ_WRITE = 3;
const PRIVATE_FIXED = 0x12;

/** Whether programs can be made for an architecture (as Node names it). */
export function canAssemble(architecture: string = process.arch): boolean {
  return Object.hasOwn(interpreters, architecture);
}

/**
 * Makes a program of `items`. A call that fails with an error it does not tolerate is told on the channel and ends the
 * process with 125. The list has to end with a call that does not come back.
 */
export function assemble(items: readonly Item[], architecture: string = process.arch): Program {
  return assembleFrom([begin, ...items], architecture);
}

/**
 * A program that becomes `program`, whose file it has open as descriptor 4: its only call maps that over its own memory, and
 * what follows is there. It holds nothing of the program.
 */
export function loaderOf({ file }: Program): Buffer {
  const page = layout.failure & ~0xffff;
  return assembleFrom([call('mmap', [page, file.length, READ_WRITE, PRIVATE_FIXED, LOADED, 0])], process.arch)
    .file;
}

function assembleFrom(items: readonly Item[], architecture: string): Program {
  const interpreter = interpreters[architecture];
  if (interpreter === undefined) throw new Error(`no interpreter for ${architecture}`);
  const whole = [...onFailure, ...items];
  const calls = whole.filter((item) => item.kind === 'call');
  const memory = new Memory(layout.failure);
  memory.place(lastFailure, memory.reserve(16));
  let address = memory.reserve(calls.length * record.size);
  const [numbers, targets] = [syscallNumbers(architecture as CallTable), targetsOf(whole)];
  const usual = { argument: memory.cell(0), result: memory.cell(from(block())) };
  for (const [at, item] of whole.entries()) {
    if (item.kind !== 'call') continue;
    const index = (address - layout.onFailure) / record.size;
    memory.write(address, numberOf(item, numbers) + index * 2 ** 32);
    writeRecord(item, address, { memory, targets, usual, next: targets.at(at + 1) });
    address += record.size;
  }
  const file = elfFile(interpreter.elf, [
    { address: layout.code, rights: 'read-execute', content: machineCode(interpreter) },
    { address: layout.failure, rights: 'read-write', content: memory.whole() },
  ]);
  return { file, calls };
}

interface Around {
  readonly memory: Memory;
  readonly targets: Targets;
  /** Where arguments that are not given are read, and results written that nobody wants. */
  readonly usual: { readonly argument: number; readonly result: number };
  /** The record that follows. */
  readonly next: number;
}

/** Addresses of the records at which items and labels lead: the first call at or behind them, or where a goto says. */
interface Targets {
  readonly at: (index: number) => number;
  readonly of: (label: Label) => number;
}

function targetsOf(items: readonly Item[]): Targets {
  const places = new Map<Label, number>();
  let next = layout.onFailure;
  const addresses = items.map((item, index) => {
    if (item.kind === 'label') places.set(item, index);
    const address = next;
    if (item.kind === 'call') next += record.size;
    return address;
  });
  const of = (label: Label): number => {
    const index = places.get(label);
    if (index === undefined) throw new Error('a label is not in its program');
    return at(index);
  };
  const at = (index: number): number => {
    const item = items[index];
    if (item?.kind === 'goto') return of(item.label);
    return item?.kind === 'label' ? at(index + 1) : (addresses[index] ?? 0);
  };
  return { at, of };
}

function writeRecord(one: Call, at: number, { memory, targets, usual, next }: Around): void {
  const { args, result, when, tolerate, otherwise } = one;
  for (let i = 0; i < 6; i++) {
    const argument = args[i];
    memory.write(
      at + record.arguments + 8 * i,
      argument === undefined ? usual.argument : memory.cell(argument),
    );
  }
  memory.write(at + record.result, result === undefined ? usual.result : memory.cell(result));
  memory.write(at + record.next, next);
  memory.write(at + record.equal, when === undefined ? next : targets.of(when.goto));
  if (when !== undefined) memory.write(at + record.equals, when.equals);
  if (tolerate !== undefined) memory.copy(at + record.tolerated, tolerated(tolerate));
  memory.write(at + record.otherwise, otherwise === undefined ? next : targets.of(otherwise));
}

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
