import { join } from 'node:path';
import type { SandboxPlan } from '../plan.ts';
import { CHANNEL } from '../program/assemble.ts';
import { at, block, call, from, goto, type Item, label } from '../program/calls.ts';
import { closeOthers, enterGroups, messages, waitFor } from '../program/namespaces.ts';
import { message, tell } from '../program/start.ts';
import { becomeCommand, becomeProcess, noNewPrivileges, type ProcessFacts } from '../step-process.ts';

export interface ChrootFacts extends ProcessFacts {
  /** Absolute path of the folder that becomes the root. */
  readonly rootfs: string;
  /** Absolute path of the step's /dev. */
  readonly dev: string;
  /** Absolute folder that holds the fifos `stdout` and `stderr`. */
  readonly folder: string;
  /** A filter can be installed by nobody who could still gain rights. */
  readonly noNewPrivileges: boolean;
}

const AT_FDCWD = -100;
const CLONE_PIDFD = 0x1000;
const SIGCHLD = 17;
const SIG_IGN = 1;
const WNOHANG = 1;
const SIGKILL = 9;
const POLLIN = 1;
const PR_SET_PDEATHSIG = 1;
const PR_SET_DUMPABLE = 4;
const PR_SET_CHILD_SUBREAPER = 36;
const KILLED = 137;

/**
 * The program of a step without namespaces. No kernel ends what it leaves behind, so that the outermost process does: every
 * process of the step whose parent ended becomes its child. It watches our end of the channel and a second process, which
 * waits for the command; as soon as either is gone it ends its children until there is none, and then itself.
 */
export function chrootProgram(plan: SandboxPlan, facts: ChrootFacts): readonly Item[] {
  const started = message(messages.first);
  const [waiter, wait, sweep, sweeper, done] = [label(), label(), label(), label(), label()];
  const watched = block([pollEntry(CHANNEL), pollEntry(-1)]);
  const killer = block();
  return [
    call('prctl', [PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0], { about: 'adopt what a step leaves behind' }),
    call('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0]),
    ...enterGroups(plan.cgroups),
    call('clone', [CLONE_PIDFD | SIGCHLD, 0, at(watched, 8)], {
      about: 'start the process of the step',
      result: from(started, 8),
      when: { equals: 0, goto: waiter },
    }),
    tell(started),
    // From now on the kernel itself takes away those that have ended.
    call('rt_sigaction', [SIGCHLD, block([SIG_IGN, 0, 0, 0]), 0, 8]),
    wait,
    call('ppoll', [watched, 2, 0, 0], { tolerate: ['EINTR'], otherwise: wait }),
    sweep,
    call('clone', [SIGCHLD], {
      result: from(killer),
      when: { equals: 0, goto: sweeper },
      // A step may have filled the table of processes: one of them ends sooner or later.
      tolerate: ['EAGAIN', 'ENOMEM'],
      otherwise: sweep,
    }),
    call('wait4', [from(killer), 0, 0, 0], { tolerate: 'all' }),
    call('wait4', [-1, 0, WNOHANG, 0], { tolerate: ['ECHILD'], otherwise: done }),
    goto(sweep),
    done,
    call('exit_group', [KILLED]),
    sweeper,
    ...endChildren(),
    waiter,
    ...waiterItems(plan, facts),
  ];
}

/** One of poll(2): descriptor and events, in a word. */
function pollEntry(descriptor: number): bigint {
  return BigInt.asUintN(32, BigInt(descriptor)) | (BigInt(POLLIN) << 32n);
}

/** A shell that ends its parent's children, once, besides itself: to read their numbers takes more than calls. */
function endChildren(): readonly Item[] {
  const script = `exec 2>/dev/null
read -r children <"/proc/$PPID/task/$PPID/children"
for child in $children; do [ "$child" = $$ ] || kill -${SIGKILL} "$child"; done`;
  return [
    closeOthers,
    call('execve', ['/bin/sh', block(['sh', '-c', script, 0]), block([0])], { tolerate: 'all' }),
    call('exit_group', [0]),
  ];
}

function waiterItems(plan: SandboxPlan, facts: ChrootFacts): readonly Item[] {
  const command = label();
  const status = message(messages.commandStatus);
  return [
    call('prctl', [PR_SET_PDEATHSIG, SIGKILL]),
    call('clone', [SIGCHLD], { about: 'start the command', when: { equals: 0, goto: command } }),
    ...waitFor(status),
    tell(status),
    call('exit_group', [0]),
    command,
    call('prctl', [PR_SET_PDEATHSIG, SIGKILL]),
    ...commandItems(plan, facts),
  ];
}

function commandItems(plan: SandboxPlan, { rootfs, dev, folder, ...facts }: ChrootFacts): readonly Item[] {
  const about = 'make the folder its root';
  return [
    call('umask', [0o022]),
    // Without /proc there is no other way to open them by a name.
    ...['stdout', 'stderr'].map((name) =>
      call('linkat', [AT_FDCWD, join(folder, name), AT_FDCWD, join(dev, name), 0], {
        about: `make /dev/${name}`,
        tolerate: ['ENOENT'],
      }),
    ),
    call('chdir', [rootfs], { about }),
    call('chroot', ['.'], { about }),
    call('chdir', ['/'], { about }),
    ...(facts.noNewPrivileges ? [noNewPrivileges] : []),
    ...becomeProcess(plan, facts),
    ...becomeCommand(plan.process),
  ];
}
