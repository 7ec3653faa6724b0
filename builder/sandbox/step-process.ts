import { constants } from 'node:fs';
import { capabilityNumber, maskOf } from './capabilities.ts';
import type { Rlimit } from './limits.ts';
import type { SandboxPlan, SandboxProcess, TerminalSize } from './plan.ts';
import { block, type Content, call, from, goto, type Item, label } from './program/calls.ts';
import { AT_FDCWD, enterInside } from './program/mounts.ts';
import { closeOthers, messages, openToUs, waitForUs } from './program/namespaces.ts';
import { message, tellFailure } from './program/start.ts';

export interface ProcessFacts {
  /** The names of the capabilities that we hold, and of those that the process shall not exceed. */
  readonly held: readonly string[];
  readonly bounding: readonly string[];
  readonly rlimits: readonly Rlimit[];
  /** The program of seccomp(2); none for a process without a filter. */
  readonly filter: Buffer | undefined;
}

const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const KEYCTL_JOIN_SESSION_KEYRING = 1;
const SECCOMP_SET_MODE_FILTER = 1;
const NEW_LISTENER = 8;
const WAIT_KILLABLE_RECV = 32;
const CAPABILITY_VERSION = 0x20080522;
const LARGEST_CAPABILITY = 63;
const UNLIMITED = 2n ** 64n - 1n;

/**
 * What a process is before it runs: its limits, rights and ids. The filter comes before the ids, since installing one takes a
 * right that goes with them; descriptors are closed by execve, since some are needed until then.
 */
export function becomeProcess(plan: SandboxPlan, facts: ProcessFacts): readonly Item[] {
  const { process, ids } = plan;
  return [
    call('setsid', []),
    // Where keyrings are refused to us, the process can reach none either.
    call('keyctl', [KEYCTL_JOIN_SESSION_KEYRING, '_ses'], { tolerate: 'all' }),
    ...facts.rlimits.map(limit),
    ...enterInside(process.cwd, `go to the working directory ${process.cwd}`),
    ...(process.terminal === false ? [] : openTerminal(process.terminal, process.uid)),
    ...dropCapabilities(facts),
    closeOthers,
    ...(plan.rights?.noNewPrivileges ? [noNewPrivileges] : []),
    ...(facts.filter === undefined ? [] : installFilter(facts.filter, ids === 'recorded')),
    ...(ids === 'real' || ids === undefined ? takeIds(process) : []),
  ];
}

/** Nothing that execve starts gains rights from then on. */
export const noNewPrivileges: Item = call('prctl', [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0], {
  about: 'give up new privileges',
});

/** Becomes the command, searched for on the PATH of its own environment. Each place that does not have it is told. */
export function becomeCommand({ args, env }: Pick<SandboxProcess, 'args' | 'env'>): readonly Item[] {
  const [words, variables] = [block([...args, 0]), block([...env, 0])];
  const paths = candidates(args[0]!, env);
  return paths.flatMap((path, at) => {
    const options = at === paths.length - 1 ? {} : { tolerate: ['ENOENT', 'ENOTDIR', 'EACCES'] as const };
    return [call('execve', [path, words, variables], { about: `execute ${path}`, ...options }), tellFailure];
  });
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function candidates(name: string, env: readonly string[]): readonly string[] {
  if (name.includes('/')) return [name];
  const path =
    env.findLast((variable) => variable.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
  return path.split(':').map((folder) => `${folder || '.'}/${name}`);
}

function limit({ type, soft, hard }: Rlimit): Item {
  const name = type as keyof typeof resources;
  return call('prlimit64', [0, resources[name], block([asWord(soft), asWord(hard)]), 0], {
    about: `set ${type}`,
  });
}

function asWord(value: number): bigint {
  return value >= 2 ** 64 ? UNLIMITED : BigInt(value);
}

/** Numbers of limits (asm-generic/resource.h). */
const resources = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
};

/**
 * Permitted and effective capabilities follow at execve from the bounding set, for uid 0 all of it. What is inheritable
 * would be added for it, so that there must be nothing.
 */
function dropCapabilities({ held, bounding }: ProcessFacts): readonly Item[] {
  const kept = new Set(bounding.map(capabilityNumber));
  const numbers = Array.from({ length: LARGEST_CAPABILITY + 1 }, (_, number) => number);
  return [
    call('prctl', [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0], {
      about: 'drop ambient capabilities',
    }),
    call('capset', [block([CAPABILITY_VERSION]), capabilitySets(held)], {
      about: 'drop inheritable capabilities',
    }),
    ...numbers
      .filter((number) => !kept.has(number))
      .map((number) =>
        call('prctl', [PR_CAPBSET_DROP, number, 0, 0, 0], {
          about: `drop capability ${number}`,
          tolerate: ['EINVAL'],
        }),
      ),
  ];
}

/** The same effective and permitted set, and an empty inheritable one, in two halves of 32. */
function capabilitySets(held: readonly string[]): Buffer {
  const mask = BigInt(`0x${maskOf(held)}`);
  const out = Buffer.alloc(24);
  for (const [half, bits] of [mask & 0xffffffffn, mask >> 32n].entries()) {
    out.writeUInt32LE(Number(bits), half * 12);
    out.writeUInt32LE(Number(bits), half * 12 + 4);
  }
  return out;
}

function installFilter(filter: Buffer, listened: boolean): readonly Item[] {
  if (!listened) {
    const program = block([filter.length / 8, filter]);
    return [
      call('seccomp', [SECCOMP_SET_MODE_FILTER, 0, program], { about: 'install the system-call filter' }),
    ];
  }
  const listener = message(messages.listener);
  return [
    // From the filter on, calls may wait for somebody who does not listen yet.
    openToUs,
    ...listenedFilter(filter, from(listener, 8)),
    ...waitForUs(listener),
    // Held by the process itself, it would outlive a supervisor that fails, and execve would wait for an answer for ever.
    call('close', [from(listener, 8)]),
  ];
}

/** Installs a filter with a listener, which is a descriptor. A call that is being answered is interrupted by death alone (5.19). */
export function listenedFilter(filter: Buffer, listener: Content): readonly Item[] {
  const program = block([filter.length / 8, filter]);
  const [younger, installed] = [label(), label()];
  const about = 'install the system-call filter that is listened to';
  return [
    call('seccomp', [SECCOMP_SET_MODE_FILTER, NEW_LISTENER | WAIT_KILLABLE_RECV, program], {
      about,
      result: listener,
      tolerate: ['EINVAL'],
      otherwise: younger,
    }),
    goto(installed),
    younger,
    call('seccomp', [SECCOMP_SET_MODE_FILTER, NEW_LISTENER, program], { about, result: listener }),
    installed,
  ];
}

function takeIds({ uid, gid, groups }: SandboxProcess): readonly Item[] {
  const list = Buffer.alloc(4 * groups.length);
  for (const [at, group] of groups.entries()) list.writeUInt32LE(group, 4 * at);
  return [
    call('setgroups', [groups.length, list], { about: `take the groups ${groups.join(', ')}` }),
    call('setresgid', [gid, gid, gid], { about: `take the group ${gid}` }),
    call('setresuid', [uid, uid, uid], { about: `take the user ${uid}` }),
  ];
}

const TIOCSCTTY = 0x540e;
const TIOCSWINSZ = 0x5414;
const TIOCGPTPEER = 0x5441;
const TIOCSPTLCK = 0x40045431;

/** A terminal of the step's own, whose other side is taken by us; the process leads the session that it controls. */
function openTerminal({ rows, columns }: TerminalSize, uid: number): readonly Item[] {
  const main = message(messages.terminal);
  const [ours, theirs] = [from(main, 8), from(block())];
  const about = 'open a terminal';
  const flags = constants.O_RDWR | constants.O_NOCTTY;
  return [
    call('openat', [AT_FDCWD, '/dev/pts/ptmx', flags], { about, result: ours }),
    call('ioctl', [ours, TIOCSPTLCK, block()], { about }),
    call('ioctl', [ours, TIOCGPTPEER, flags], { about, result: theirs }),
    call('ioctl', [theirs, TIOCSWINSZ, block([rows | (columns << 16)])], { about }),
    call('fchown', [theirs, uid, -1], { tolerate: 'all' }),
    call('ioctl', [theirs, TIOCSCTTY, 0], { about }),
    ...[0, 1, 2].map((fd) => call('dup3', [theirs, fd, 0], { about })),
    openToUs,
    ...waitForUs(main),
  ];
}
