import { CHANNEL } from './assemble.ts';
import { at, block, call, from, goto, type Item, label } from './calls.ts';
import { closeOthers, messages, waitFor } from './namespaces.ts';
import { message, tell } from './start.ts';

const CLONE_PIDFD = 0x1000;
const CLONE_PARENT_SETTID = 0x100000;
const SIGCHLD = 17;
const SIG_IGN = 1;
const WNOHANG = 1;
const SIGKILL = 9;
const POLLIN = 1;
const PR_SET_PDEATHSIG = 1;
const PR_SET_CHILD_SUBREAPER = 36;
const KILLED = 137;

/**
 * A program that leaves no process behind without any namespace: every process below whose parent ended becomes a child of
 * the outermost one. That watches our end of the channel and a second process, which waits for the one that does
 * `command`; as soon as either is gone it ends its children until there is none, and then itself. `before` is done by the
 * outermost process itself.
 */
export function adopting(command: readonly Item[], before: readonly Item[]): readonly Item[] {
  const started = message(messages.first);
  const [waiter, wait, sweep, sweeper, done] = [label(), label(), label(), label(), label()];
  const watched = block([pollEntry(CHANNEL), pollEntry(-1)]);
  const killer = block();
  return [
    call('prctl', [PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0], { about: 'adopt what is left behind' }),
    ...before,
    call('clone', [CLONE_PIDFD | SIGCHLD, 0, at(watched, 8)], {
      about: 'start a process',
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
      // The table of processes may be filled: one of them ends sooner or later.
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
    ...waiterItems(command),
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

function waiterItems(command: readonly Item[]): readonly Item[] {
  const commanded = label();
  const [started, status] = [message(messages.command), message(messages.commandStatus)];
  return [
    call('prctl', [PR_SET_PDEATHSIG, SIGKILL]),
    call('clone', [CLONE_PARENT_SETTID | SIGCHLD, 0, at(started, 8)], {
      about: 'start the command',
      when: { equals: 0, goto: commanded },
    }),
    tell(started),
    ...waitFor(status),
    tell(status),
    call('exit_group', [0]),
    commanded,
    call('prctl', [PR_SET_PDEATHSIG, SIGKILL]),
    ...command,
  ];
}
