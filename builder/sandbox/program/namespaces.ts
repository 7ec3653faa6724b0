import { constants } from 'node:fs';
import { at, type Block, block, call, from, type Item, label } from './calls.ts';
import { awaitGo, dieWithUs, message, tell } from './start.ts';

const CLONE_NEWPID = 0x20000000;
const CLONE_NEWNS = 0x20000;
const CLONE_NEWUSER = 0x10000000;
const CLONE_NEWNET = 0x40000000;
const CLONE_PARENT_SETTID = 0x100000;
const SIGCHLD = 17;
const PR_SET_PDEATHSIG = 1;
const PR_SET_DUMPABLE = 4;
const SIGKILL = 9;
const O_CLOEXEC = 0x80000;
const AT_FDCWD = -100;

/** What programs tell, by number. */
export const messages = {
  /** The id of the first process of the pid namespace. */
  first: 0,
  /** How it ended, as wait4 has it. */
  firstStatus: 1,
  /** How the process ended that became the command, where the first one only waits for it. */
  commandStatus: 2,
  /** The id of the process that becomes the command, where one only waits for it. */
  command: 3,
  /** The number of a descriptor in the command's process, for us to take; it waits until we did. */
  terminal: 4,
  listener: 5,
  /** The process stands in a user namespace without ids, and waits for us to write its maps. */
  userNamespace: 6,
};

/**
 * A program whose outermost process starts `first` as the first process of a pid namespace (and, with `mounts`, of a mount
 * namespace), waits for its end and tells how that was. All of it ends with us, however we end. `before` is done by the
 * outermost process itself.
 */
export function inPidNamespace(
  first: readonly Item[],
  options: { readonly mounts: boolean; readonly before: readonly Item[] },
): readonly Item[] {
  const child = label();
  const [started, ended] = [message(messages.first), message(messages.firstStatus)];
  const alive = block();
  const flags = CLONE_NEWPID | CLONE_PARENT_SETTID | SIGCHLD | (options.mounts ? CLONE_NEWNS : 0);
  return [
    ...dieWithUs(),
    // What the program holds in memory, secrets among it, is not for other processes to read.
    call('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0]),
    ...options.before,
    call('pipe2', [alive, O_CLOEXEC | constants.O_NONBLOCK]),
    call('clone', [flags, 0, at(started, 8)], {
      about: 'make a pid namespace',
      when: { equals: 0, goto: child },
    }),
    tell(started),
    ...waitFor(ended),
    tell(ended),
    call('exit_group', [0]),
    child,
    ...dieWithParentOf(alive),
    ...first,
  ];
}

/** Waits for the end of the only child; keeps its status in a message. */
export function waitFor(status: Block): readonly Item[] {
  const again = label();
  return [again, call('wait4', [-1, at(status, 8), 0, 0], { tolerate: ['EINTR'], otherwise: again })];
}

/**
 * The parent is in another pid namespace, where getppid tells nothing of it: it lives as long as its end of a pipe is
 * open, and once the signal is asked for that is all there is to know.
 */
function dieWithParentOf(pipe: Block): readonly Item[] {
  const alive = label();
  return [
    call('prctl', [PR_SET_PDEATHSIG, SIGKILL]),
    call('close', [from(pipe, 4)]),
    call('read', [from(pipe), block(), 1], { tolerate: ['EAGAIN'], otherwise: alive }),
    call('exit_group', [0]),
    alive,
  ];
}

/** Lets us reach into the process, as we must where it waits for us. */
export const openToUs = call('prctl', [PR_SET_DUMPABLE, 1, 0, 0, 0]);

/** Tells us, and goes on once we have done our part. */
export function waitForUs(one: Block): readonly Item[] {
  return [tell(one), ...awaitGo()];
}

/**
 * A user namespace below ours with the same ids: what the process sees in the /proc of others, it has no rights over. A runtime
 * cannot make it where /proc does not show its own child.
 */
export function ownUserNamespace(): readonly Item[] {
  return [
    call('unshare', [CLONE_NEWUSER], { about: 'make a user namespace of its own' }),
    openToUs,
    ...waitForUs(message(messages.userNamespace)),
  ];
}

/** A control group takes the process that writes 0; its children are born in the same. */
export function enterGroups(folders: readonly string[] = []): readonly Item[] {
  return folders.flatMap((folder) => {
    const file = from(block());
    const about = `enter the control group ${folder}`;
    return [
      call('openat', [AT_FDCWD, `${folder}/cgroup.procs`, constants.O_WRONLY | O_CLOEXEC], {
        about,
        result: file,
      }),
      call('write', [file, '0', 1], { about }),
      call('close', [file]),
    ];
  });
}

/** Enters a network namespace, by its file. */
export function enterNetwork(path: string | undefined): readonly Item[] {
  if (path === undefined) return [];
  const file = from(block());
  const about = 'enter the network namespace of the build';
  return [
    call('openat', [AT_FDCWD, path, O_CLOEXEC], { about, result: file }),
    call('setns', [file, CLONE_NEWNET], { about }),
    call('close', [file]),
  ];
}

const CLOSE_RANGE_CLOEXEC = 4;

/** All descriptors but the first three are closed once the process becomes another program. */
export const closeOthers = call('close_range', [3, 0xffffffff, CLOSE_RANGE_CLOEXEC], {
  about: 'close descriptors',
});

/** Becomes a program of this machine. */
export function becomeProgram(args: readonly string[], env: readonly string[]): readonly Item[] {
  return [
    closeOthers,
    call('execve', [args[0]!, block([...args, 0]), block([...env, 0])], { about: `execute ${args[0]}` }),
  ];
}
