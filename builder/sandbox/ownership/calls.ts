import { O_UNNAMED } from '../../../src/sys/descriptor.ts';
import type { FilterAction, FilterRule } from '../seccomp.ts';
import { type CallTable, syscallNumbers } from '../syscall-numbers.ts';
import type { Recording } from './recording.ts';

const TYPE = 0o170000;
const CHARACTER_DEVICE = 0o020000;
const BLOCK_DEVICE = 0o060000;
const O_CREAT = 0o100;
const PR_SET_KEEPCAPS = 8;

const owners = 'chown lchown fchown fchownat chown32 lchown32 fchown32'.split(' ');
const setters = [
  'setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid',
  'setuid32 setgid32 setreuid32 setregid32 setresuid32 setresgid32 setgroups32 setfsuid32 setfsgid32',
].flatMap((names) => names.split(' '));
const done = { errno: 0 };

/**
 * What becomes of the calls that cannot work where only one id exists. With `all` a supervisor decides who a file belongs
 * to, who a process is, and what a process makes that is not root by these lights. With less, what it does not decide is
 * answered as if it had been done.
 */
export const ownerRules: Readonly<Record<Recording, readonly FilterRule[]>> = {
  all: [
    { names: [...owners, ...setters], action: 'notify' },
    ...[
      'stat lstat fstat newfstatat statx',
      'getuid geteuid getgid getegid getresuid getresgid getgroups',
      'getuid32 geteuid32 getgid32 getegid32 getresuid32 getresgid32 getgroups32',
      'creat openat2 mkdir mkdirat symlink symlinkat mknod mknodat execve execveat',
      'rename renameat renameat2 link linkat',
    ].map((names): FilterRule => ({ names: names.split(' '), action: 'notify' })),
    ...[O_CREAT, O_UNNAMED].flatMap((flag): FilterRule[] => [
      { names: ['open'], action: 'notify', when: { index: 1, mask: flag, value: flag } },
      { names: ['openat'], action: 'notify', when: { index: 2, mask: flag, value: flag } },
    ]),
    { names: ['prctl'], action: 'notify', when: { index: 0, value: PR_SET_KEEPCAPS } },
  ],
  files: [
    { names: owners, action: 'notify' },
    ...nodes('notify', [CHARACTER_DEVICE, BLOCK_DEVICE]),
    { names: setters, action: done },
  ],
  nothing: [
    { names: [...owners, ...setters], action: done },
    ...nodes(done, [CHARACTER_DEVICE, BLOCK_DEVICE]),
  ],
};

function nodes(action: FilterAction, types: readonly number[]): FilterRule[] {
  return types.flatMap((value): FilterRule[] => [
    { names: ['mknod'], action, when: { index: 1, mask: TYPE, value } },
    { names: ['mknodat'], action, when: { index: 2, mask: TYPE, value } },
  ]);
}

/** AUDIT_ARCH_* of a call (linux/audit.h). */
const tables: ReadonlyMap<number, CallTable> = new Map([
  [0xc000003e, 'x64'],
  [0x40000003, 'i386'],
  [0xc00000b7, 'arm64'],
  [0x40000028, 'arm'],
]);

const known = new Map<CallTable, ReadonlyMap<number, string>>();

/** The name of a call, without the `32` of calls whose ids were once shorter; undefined for one that has none. */
export function callName(architecture: number, number: number): string | undefined {
  const table = tables.get(architecture);
  if (table === undefined) return undefined;
  const names = known.get(table) ?? new Map([...syscallNumbers(table)].map(([name, value]) => [value, name]));
  known.set(table, names);
  return names.get(number)?.replace(/(?<=[a-z])32$/, '');
}

/** Whether the process is of this machine's own architecture, so that structs in its memory are as ours. */
export function isNative(architecture: number): boolean {
  return tables.get(architecture) === process.arch;
}
