import { type ArgumentTest, ENOSYS, type FilterAction, type FilterRule } from './seccomp.ts';
import { type CallTable, syscallNumbers } from './syscall-numbers.ts';

/** An instruction of classic BPF: its code, the two jumps, its constant (linux/filter.h). */
type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, constant: number];

/** Each piece of a filter ends in a return on every way through it, and knows nothing of its place. */
type Piece = readonly Instruction[];

/** A system-call interface of the machine: its audit number and its table of calls. */
interface Abi {
  readonly audit: number;
  readonly table: CallTable;
  /** Numbers from here on belong to another interface and answer ENOSYS. */
  readonly end?: number;
}

const abis: Readonly<Record<string, readonly Abi[]>> = {
  // x32 is asked by the x86-64 interface, with a bit in the number.
  x64: [
    { audit: 0xc000003e, table: 'x64', end: 0x40000000 },
    { audit: 0x40000003, table: 'i386' },
  ],
  arm64: [
    { audit: 0xc00000b7, table: 'arm64' },
    { audit: 0x40000028, table: 'arm' },
  ],
};

const LOAD = 0x20;
const EQUAL = 0x15;
const AT_LEAST = 0x35;
const JUMP = 0x05;
const AND = 0x54;
const RETURN = 0x06;
const KILL_PROCESS = 0x80000000;
const NR_OFFSET = 0;
const ARCHITECTURE_OFFSET = 4;
const ARGUMENTS_OFFSET = 16;
/** How far a conditional jump reaches. */
const REACH = 255;
const LARGEST = 4096;

/**
 * The rules as the program that seccomp(2) takes. Calls that no rule names answer ENOSYS, as do numbers that the tables do not
 * know; a call of an interface that the machine should not have kills the process.
 */
export function compileFilter(rules: readonly FilterRule[], architecture: string = process.arch): Buffer {
  const interfaces = abis[architecture]!.flatMap((abi) => {
    const piece = interfacePiece(rules, abi);
    return [...branch(EQUAL, abi.audit, piece.length, true), ...piece];
  });
  const program: Piece = [[LOAD, 0, 0, ARCHITECTURE_OFFSET], ...interfaces, [RETURN, 0, 0, KILL_PROCESS]];
  if (program.length > LARGEST) throw new Error(`a filter of ${program.length} instructions`);
  return encode(program);
}

/** Allows all that the tables know. */
export function everyCall(architecture: string = process.arch): FilterRule {
  const names = abis[architecture]!.flatMap(({ table }) => [...syscallNumbers(table).keys()]);
  return { names: [...new Set(names)], action: 'allow' };
}

function encode(program: Piece): Buffer {
  const out = Buffer.alloc(program.length * 8);
  for (const [at, [code, ifTrue, ifFalse, constant]] of program.entries()) {
    out.writeUInt16LE(code, at * 8);
    out[at * 8 + 2] = ifTrue;
    out[at * 8 + 3] = ifFalse;
    out.writeUInt32LE(constant >>> 0, at * 8 + 4);
  }
  return out;
}

/** Goes on where the comparison is `wanted`, else past the next `length` instructions. */
function branch(code: number, constant: number, length: number, wanted: boolean): Piece {
  const skip = length <= REACH;
  const [yes, no] = skip ? [0, length] : [1, 0];
  const jumps = wanted ? ([yes, no] as const) : ([no, yes] as const);
  return [[code, ...jumps, constant], ...(skip ? [] : [[JUMP, 0, 0, length] as const])];
}

interface Run {
  /** The number of the first call; the run goes on to the next one. */
  readonly first: number;
  /** What becomes of all of its calls, whatever their arguments; a run with a condition is one call. */
  readonly answer: number | undefined;
  readonly piece: Piece;
}

function interfacePiece(rules: readonly FilterRule[], { table, end }: Abi): Piece {
  const body = search(runsOf(decisions(rules, table)));
  const load: Instruction = [LOAD, 0, 0, NR_OFFSET];
  if (end === undefined) return [load, ...body];
  return [load, [AT_LEAST, 0, 1, end], unknown, ...body];
}

/** For each number the rules that name it, as far as the first without a condition. */
function decisions(rules: readonly FilterRule[], table: CallTable): Map<number, FilterRule[]> {
  const numbers = syscallNumbers(table);
  const found = new Map<number, FilterRule[]>();
  for (const rule of rules) {
    for (const name of rule.names) {
      const number = numbers.get(name);
      if (number === undefined) continue;
      const known = found.get(number) ?? [];
      if (known.at(-1)?.when !== undefined || known.length === 0) known.push(rule);
      found.set(number, known);
    }
  }
  return found;
}

/** Neighbours that are decided alike are one run. */
function runsOf(decided: ReadonlyMap<number, readonly FilterRule[]>): readonly Run[] {
  const runs: Run[] = [unknownFrom(0)];
  for (const number of [...decided.keys()].sort((a, b) => a - b)) {
    addRun(runs, runOf(number, decided.get(number)!));
    if (!decided.has(number + 1)) addRun(runs, unknownFrom(number + 1));
  }
  return runs;
}

function addRun(runs: Run[], next: Run): void {
  if (runs.at(-1)!.first === next.first) runs.pop();
  const answer = runs.at(-1)?.answer;
  if (answer === undefined || answer !== next.answer) runs.push(next);
}

function unknownFrom(first: number): Run {
  return { first, answer: unknown[3], piece: [unknown] };
}

function runOf(first: number, rules: readonly FilterRule[]): Run {
  const [rule] = rules;
  if (rule!.when !== undefined) return { first, answer: undefined, piece: rulesPiece(rules) };
  const answer = answerOf(rule!.action);
  return { first, answer: answer[3], piece: [answer] };
}

/** A binary search by the number, which is loaded. */
function search(runs: readonly Run[]): Piece {
  if (runs.length === 1) return runs[0]!.piece;
  const middle = runs.length >> 1;
  const below = search(runs.slice(0, middle));
  return [
    ...branch(AT_LEAST, runs[middle]!.first, below.length, false),
    ...below,
    ...search(runs.slice(middle)),
  ];
}

function rulesPiece(rules: readonly FilterRule[]): Piece {
  const end: Piece = rules.at(-1)?.when === undefined ? [] : [unknown];
  return [
    ...rules.flatMap(({ action, when }) => {
      const answer = answerOf(action);
      return when === undefined ? [answer] : [...testPiece(when, 1), answer];
    }),
    ...end,
  ];
}

/** Goes on where the argument is right, else past the next `length` instructions. Of its two words the low one comes first. */
function testPiece({ index, mask, value }: ArgumentTest, length: number): Piece {
  let piece: Piece = [];
  for (const word of [0, 1]) {
    const bits = mask === undefined ? 0xffffffff : half(mask, word);
    if (bits === 0) continue;
    piece = [
      [LOAD, 0, 0, ARGUMENTS_OFFSET + 8 * index + 4 * word],
      ...(bits === 0xffffffff ? [] : [[AND, 0, 0, bits] as const]),
      ...branch(EQUAL, half(value, word), piece.length + length, true),
      ...piece,
    ];
  }
  return piece;
}

function half(value: number, word: number): number {
  return Number((BigInt(value) >> BigInt(32 * word)) & 0xffffffffn);
}

function answerOf(action: FilterAction): Instruction {
  if (action === 'allow') return [RETURN, 0, 0, 0x7fff0000];
  if (action === 'notify') return [RETURN, 0, 0, 0x7fc00000];
  return [RETURN, 0, 0, 0x00050000 | action.errno];
}

const unknown = answerOf({ errno: ENOSYS });
