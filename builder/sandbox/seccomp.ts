import {
  allowed,
  allowedOn,
  allowedWith,
  namespaceFlags,
  newUser,
  personalities,
  refused,
} from './seccomp-table.ts';

/** A filter as the OCI runtime specification writes it (config-linux.md, Seccomp). */
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

const EPERM = 1;
const ENOSYS = 38;

/**
 * The filter for a step that holds `capabilities`. x32 has no place in it: its numbers answer as calls that do not
 * exist. clone3 hides its flags in memory, so that without CAP_SYS_ADMIN it falls to ENOSYS and C libraries use clone.
 */
export function seccompFor(capabilities: readonly string[], architecture: string = process.arch): Seccomp {
  const open = new Set([
    ...allowed.flatMap((group) => words(group.names)),
    ...words(allowedOn[architecture]?.names ?? ''),
    ...capabilities.flatMap((name) => words(allowedWith[name] ?? '')),
  ]);
  const closed = [...Object.values(allowedWith), ...refused.map((group) => group.names)]
    .flatMap(words)
    .filter((name) => !open.has(name) && name !== 'clone' && name !== 'clone3');
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: ENOSYS,
    architectures: architectures[architecture] ?? [],
    syscalls: [
      { names: [...open].sort(), action: 'SCMP_ACT_ALLOW' },
      { names: [...new Set(closed)].sort(), action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
      ...personalities.map(personality),
      ...(open.has('clone') ? [] : cloneRules),
    ],
  };
}

const architectures: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

const cloneRules: readonly SeccompRule[] = [
  {
    names: ['clone'],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 0, value: namespaceFlags, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
  },
  {
    names: ['clone'],
    action: 'SCMP_ACT_ERRNO',
    errnoRet: EPERM,
    args: [{ index: 0, value: newUser, valueTwo: newUser, op: 'SCMP_CMP_MASKED_EQ' }],
  },
];

function personality(value: number): SeccompRule {
  return {
    names: ['personality'],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }],
  };
}

function words(names: string): string[] {
  return names.split(/\s+/).filter((name) => name !== '');
}
