import { existsSync, readFileSync } from 'node:fs';
import koffi from 'koffi';
import { describe, expect, it } from 'vitest';
import { defaultCapabilities } from '../../../builder/sandbox/capabilities.ts';
import { compileFilter } from '../../../builder/sandbox/filter.ts';
import { type FilterRule, filterRules } from '../../../builder/sandbox/seccomp.ts';
import { type CallTable, syscallNumbers } from '../../../builder/sandbox/syscall-numbers.ts';

const ALLOW = 0x7fff0000;
const NOTIFY = 0x7fc00000;
const KILL = 0x80000000;
const ERRNO = 0x00050000;
const ENOSYS = ERRNO + 38;

interface CallData {
  readonly audit: number;
  readonly number: number;
  readonly args: readonly bigint[];
}

/** What the kernel's machine for classic BPF makes of a call. */
function verdict(program: Buffer, { audit, number, args }: CallData): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number >>> 0, 0);
  data.writeUInt32LE(audit, 4);
  for (const [i, value] of args.entries()) data.writeBigUInt64LE(BigInt.asUintN(64, value), 16 + 8 * i);
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const code = program.readUInt16LE(at * 8);
    const [yes, no] = [program[at * 8 + 2]!, program[at * 8 + 3]!];
    const constant = program.readUInt32LE(at * 8 + 4);
    if (code === 0x20) accumulator = data.readUInt32LE(constant);
    else if (code === 0x54) accumulator = (accumulator & constant) >>> 0;
    else if (code === 0x15) at += accumulator === constant ? yes : no;
    else if (code === 0x35) at += accumulator >= constant ? yes : no;
    else if (code === 0x05) at += constant;
    else if (code === 0x06) return constant;
    else throw new Error(`code ${code}`);
  }
}

/** The rules read one by one. */
function expected(rules: readonly FilterRule[], table: CallTable, { number, args }: CallData): number {
  const numbers = syscallNumbers(table);
  for (const { names, action, when } of rules) {
    if (!names.some((name) => numbers.get(name) === number)) continue;
    if (when !== undefined) {
      const bits = when.mask === undefined ? 2n ** 64n - 1n : BigInt(when.mask);
      if ((BigInt.asUintN(64, args[when.index]!) & bits) !== BigInt(when.value)) continue;
    }
    return action === 'allow' ? ALLOW : action === 'notify' ? NOTIFY : ERRNO + action.errno;
  }
  return ENOSYS;
}

/** How libseccomp, where it is installed, numbers a call of an architecture. */
function libseccompNumbers(): ((audit: number, name: string) => number) | undefined {
  try {
    return koffi.load('libseccomp.so.2').func('seccomp_syscall_resolve_name_arch', 'int', ['uint', 'str']);
  } catch {
    return undefined;
  }
}

const abis = [
  ['x64', 'x64', 0xc000003e],
  ['x64', 'i386', 0x40000003],
  ['arm64', 'arm64', 0xc00000b7],
  ['arm64', 'arm', 0x40000028],
] as const;

const argumentSets: readonly (readonly bigint[])[] = [
  [0n, 0n, 0n, 0n, 0n, 0n],
  [8n, 0x2000n, 0x6000n, 0n, 0n, 0n],
  [0x20008n, 0x61b6n, 0x21b6n, 0n, 0n, 0n],
  [0xffffffffn, 0x81a4n, 0x81a4n, 0n, 0n, 0n],
  [-1n, -1n, -1n, -1n, -1n, -1n],
  [0x10000000n, 0n, 0n, 0n, 0n, 0n],
  [0x7e020011n, 0n, 0n, 0n, 0n, 0n],
  [0x0020_0000_0000n, 0n, 0n, 0n, 0n, 0n],
  [0x1_0000_0008n, 0n, 0n, 0n, 0n, 0n],
  [17n, 0n, 0n, 0n, 0n, 0n],
  [40n, 1n, 0n, 0n, 0n, 0n],
];

const recorded: readonly FilterRule[] = [
  { names: ['mknod'], action: 'notify', when: { index: 1, mask: 0xf000, value: 0x2000 } },
  { names: ['mknodat'], action: 'notify', when: { index: 2, mask: 0xf000, value: 0x6000 } },
  { names: ['chown', 'fchown', 'lchown', 'fchownat'], action: 'notify' },
  { names: ['setgroups', 'capset'], action: { errno: 0 } },
];

describe('the compiled filter', () => {
  describe.each(abis)('on %s for calls of %s', (architecture, table, audit) => {
    it.each<readonly [string, readonly FilterRule[]]>([
      ['the default capabilities', filterRules(defaultCapabilities, architecture)],
      ['no capability', filterRules([], architecture)],
      ['CAP_SYS_ADMIN', filterRules(['CAP_SYS_ADMIN'], architecture)],
      ['recorded owners', filterRules(defaultCapabilities, architecture, recorded)],
    ])('decides every call as the rules do, with %s', (_, rules) => {
      const program = compileFilter(rules, architecture);
      const wrong: string[] = [];
      const numbers = [
        ...Array.from({ length: 500 }, (__, number) => number),
        983041,
        983045,
        983046,
        0xffffffff,
      ];
      for (const number of numbers) {
        for (const args of argumentSets) {
          const call = { audit, number, args };
          if (verdict(program, call) !== expected(rules, table, call)) wrong.push(`${number} ${args}`);
        }
      }
      expect(wrong).toEqual([]);
      expect(program.length / 8).toBeLessThan(1000);
    });
  });

  it('answers numbers of x32 as unknown, and kills what comes from another machine', () => {
    const program = compileFilter(filterRules(defaultCapabilities, 'x64'), 'x64');
    const args = argumentSets[0]!;
    expect(verdict(program, { audit: 0xc000003e, number: 0x40000000, args })).toBe(ENOSYS);
    expect(verdict(program, { audit: 0xc000003e, number: 0x40000000 + 59, args })).toBe(ENOSYS);
    expect(verdict(program, { audit: 0xc00000b7, number: 0, args })).toBe(KILL);
  });

  it('lets a rule come before all others', () => {
    const rules = filterRules(defaultCapabilities, 'x64', recorded);
    const program = compileFilter(rules, 'x64');
    const of = (name: string, args = argumentSets[0]!): number =>
      verdict(program, { audit: 0xc000003e, number: syscallNumbers('x64').get(name)!, args });
    expect([of('chown'), of('capset'), of('mknod'), of('mknod', argumentSets[1])]).toEqual([
      NOTIFY,
      ERRNO,
      ALLOW,
      NOTIFY,
    ]);
    expect([of('clone3'), of('mount'), of('open')]).toEqual([ENOSYS, ERRNO + 1, ALLOW]);
  });

  it.each(abis)(
    'on %s for calls of %s lets all families of sockets be opened but two',
    (architecture, table, audit) => {
      const program = compileFilter(filterRules(defaultCapabilities, architecture), architecture);
      const number = syscallNumbers(table).get('socket')!;
      const answers = Array.from({ length: 64 }, (_, family) =>
        verdict(program, { audit, number, args: [BigInt(family), 1n, 0n, 0n, 0n, 0n] }),
      );
      const refused = answers.flatMap((answer, family) => (answer === ALLOW ? [] : [[family, answer]]));
      expect(refused).toEqual([38, 40].map((family) => [family, ERRNO + 1]));
      expect(verdict(program, { audit, number, args: [2n ** 32n + 40n, 1n, 0n, 0n, 0n, 0n] })).toBe(
        ERRNO + 1,
      );
    },
  );

  it('has on x86-64 what Docker allows, less what only the oldest C libraries know', () => {
    const reference = new URL('../../../../shared/data/seccomp-x86_64.json', import.meta.url);
    if (!existsSync(reference)) {
      console.warn('skipped: the reference filter is not at hand');
      return;
    }
    const { syscalls } = JSON.parse(readFileSync(reference, 'utf8')) as {
      syscalls: {
        names: string[];
        action: string;
        args: unknown[] | null;
        includes: object;
        excludes: object;
      }[];
    };
    const program = compileFilter(filterRules(defaultCapabilities, 'x64'), 'x64');
    const plain = syscalls.filter(
      ({ action, args, includes, excludes }) =>
        action === 'SCMP_ACT_ALLOW' &&
        (args ?? []).length === 0 &&
        Object.keys({ ...includes, ...excludes }).length === 0,
    );
    const refused = plain
      .flatMap(({ names }) => names)
      .filter((name) => syscallNumbers('x64').has(name) && !name.startsWith('io_uring') && name !== 'socket')
      .filter(
        (name) =>
          verdict(program, {
            audit: 0xc000003e,
            number: syscallNumbers('x64').get(name)!,
            args: argumentSets[0]!,
          }) !== ALLOW,
      );
    expect(refused).toEqual([]);
  });
});

describe('the numbers of calls', () => {
  it('are those of the reference', () => {
    const reference = new URL('../../../../shared/data/syscalls.json', import.meta.url);
    if (!existsSync(reference)) {
      console.warn('skipped: the reference numbers are not at hand');
      return;
    }
    const tables = JSON.parse(readFileSync(reference, 'utf8')) as Record<string, Record<string, number>>;
    for (const table of ['x64', 'i386'] as const) {
      const ours = syscallNumbers(table);
      expect(Object.entries(tables[table]!).filter(([name, number]) => ours.get(name) !== number)).toEqual(
        [],
      );
    }
  });

  it("are those of the machine's headers for arm64", () => {
    const header = '/usr/include/asm-generic/unistd.h';
    if (!existsSync(header)) {
      console.warn(`skipped: ${header} is not installed`);
      return;
    }
    const ours = syscallNumbers('arm64');
    const theirs = [...readFileSync(header, 'utf8').matchAll(/^#define __NR_(\w+) (\d+)$/gm)].filter(
      ([, name]) => ours.has(name!),
    );
    expect(theirs.length).toBeGreaterThan(250);
    expect(theirs.filter(([, name, number]) => ours.get(name!) !== Number(number))).toEqual([]);
  });

  it.each(abis)('on %s for calls of %s are those of libseccomp', (_, table, audit) => {
    const theirs = libseccompNumbers();
    if (theirs === undefined) return void console.warn('skipped: libseccomp.so.2 is not installed');
    const known = [...syscallNumbers(table)].map(
      ([name, number]) => [name, number, theirs(audit, name)] as const,
    );
    // It gives a call that is younger than it, or not of this architecture, a number below zero.
    const both = known.filter(([, , other]) => other >= 0);
    expect(both.length).toBeGreaterThan(280);
    expect(both.filter(([, number, other]) => number !== other)).toEqual([]);
  });

  it('are given once each', () => {
    for (const table of ['x64', 'i386', 'arm64', 'arm'] as const) {
      const numbers = [...syscallNumbers(table).values()];
      expect(new Set(numbers).size).toBe(numbers.length);
    }
  });
});
