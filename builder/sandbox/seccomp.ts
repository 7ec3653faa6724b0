import {
  allowed,
  allowedOn,
  allowedWith,
  familiesEnd,
  namespaceFlags,
  newUser,
  personalities,
  refused,
  refusedFamilies,
} from './seccomp-table.ts';

/** What becomes of a call: it is made, answered with an error (0: as if it had been made), or decided by a supervisor. */
export type FilterAction = 'allow' | 'notify' | { readonly errno: number };

/** Calls and what becomes of them where an argument is right. The first rule that fits a call decides. */
export interface FilterRule {
  readonly names: readonly string[];
  readonly action: FilterAction;
  readonly when?: ArgumentTest;
}

/** True where the argument's bits of `mask` (all 64 without it) are exactly `value`. */
export interface ArgumentTest {
  /** Of the argument, from 0. */
  readonly index: number;
  readonly mask?: number;
  readonly value: number;
}

/** The filter as the OCI runtime specification writes it (config-linux.md, Seccomp). */
export interface Seccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly SeccompRule[];
}

interface SeccompRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[];
}

interface SeccompArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: string;
}

export const EPERM = 1;
/** What every call answers that no rule names. */
export const ENOSYS = 38;

/**
 * The rules for a step that holds `capabilities`; those of `first` come before them. clone3 hides its flags in memory, so
 * that without CAP_SYS_ADMIN it falls to ENOSYS and C libraries use clone.
 */
export function filterRules(
  capabilities: readonly string[],
  architecture: string = process.arch,
  first: readonly FilterRule[] = [],
): readonly FilterRule[] {
  const decided = new Set(first.flatMap((rule) => (rule.when === undefined ? rule.names : [])));
  const open = new Set([
    ...allowed.flatMap((group) => words(group.names)),
    ...words(allowedOn[architecture]?.names ?? ''),
    ...capabilities.flatMap((name) => words(allowedWith[name] ?? '')),
  ]);
  const closed = [...Object.values(allowedWith), ...refused.map((group) => group.names)]
    .flatMap(words)
    .filter((name) => !open.has(name) && name !== 'clone' && name !== 'clone3');
  const rest = (names: Iterable<string>): string[] =>
    [...new Set(names)].filter((name) => !decided.has(name)).sort();
  return [
    ...first,
    { names: rest(open), action: 'allow' },
    { names: rest(closed), action: { errno: EPERM } },
    ...personalities.map(personality),
    ...socketRules,
    ...(open.has('clone') ? [] : cloneRules),
  ];
}

/** The rules for an OCI runtime. x32 has no place in it: its numbers answer as calls that do not exist. */
export function ociSeccomp(rules: readonly FilterRule[], architecture: string = process.arch): Seccomp {
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: ENOSYS,
    architectures: architectures[architecture] ?? [],
    syscalls: rules.map(ociRule),
  };
}

function ociRule({ names, action, when }: FilterRule): SeccompRule {
  const args = when === undefined ? {} : { args: [ociArgument(when)] };
  if (action === 'allow') return { names, action: 'SCMP_ACT_ALLOW', ...args };
  if (action === 'notify') return { names, action: 'SCMP_ACT_NOTIFY', ...args };
  return { names, action: 'SCMP_ACT_ERRNO', errnoRet: action.errno, ...args };
}

function ociArgument({ index, mask, value }: ArgumentTest): SeccompArgument {
  if (mask === undefined) return { index, value, op: 'SCMP_CMP_EQ' };
  return { index, value: mask, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' };
}

const architectures: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

const cloneRules: readonly FilterRule[] = [
  { names: ['clone'], action: 'allow', when: { index: 0, mask: namespaceFlags, value: 0 } },
  { names: ['clone'], action: { errno: EPERM }, when: { index: 0, mask: newUser, value: newUser } },
];

function personality(value: number): FilterRule {
  return { names: ['personality'], action: 'allow', when: { index: 0, value } };
}

/**
 * The family is an int, of which the kernel looks at 32 bits: a rule that compares all 64 is passed by one that sets
 * others. The rules exclude each other, for libseccomp knows no order of them.
 */
const socketRules: readonly FilterRule[] = [
  ...blocksWithout(refusedFamilies, 0, familiesEnd).map(({ first, size }) =>
    socketRule(first, size, 'allow'),
  ),
  ...refusedFamilies.map((family) => socketRule(family, 1, { errno: EPERM })),
];

function socketRule(first: number, size: number, action: FilterAction): FilterRule {
  return { names: ['socket'], action, when: { index: 0, mask: 2 ** 32 - size, value: first } };
}

interface NumberBlock {
  readonly first: number;
  /** A power of two, of which `first` is a multiple. */
  readonly size: number;
}

/** The numbers of a block that are not among `missing`, as the largest blocks that a mask can tell. */
function blocksWithout(missing: readonly number[], first: number, size: number): readonly NumberBlock[] {
  if (!missing.some((number) => number >= first && number < first + size)) return [{ first, size }];
  if (size === 1) return [];
  const half = size / 2;
  return [...blocksWithout(missing, first, half), ...blocksWithout(missing, first + half, half)];
}

function words(names: string): string[] {
  return names.split(/\s+/).filter((name) => name !== '');
}
