import { constants } from 'node:fs';
import { memoryFiles } from './memory-files.ts';
import type { Mount, SandboxPlan } from './plan.ts';
import { block, type Content, call, from, type Item, label } from './program/calls.ts';
import {
  AT_FDCWD,
  attachInside,
  copyTree,
  type MountPoint,
  NODEV,
  NOSUID,
  newFileSystem,
  privateMounts,
  RDONLY,
  setAttributes,
} from './program/mounts.ts';
import {
  enterGroups,
  enterNetwork,
  inPidNamespace,
  messages,
  ownUserNamespace,
  waitFor,
} from './program/namespaces.ts';
import { message, tell } from './program/start.ts';
import { setupMount } from './setup-mount.ts';
import { masks, type SystemFacts, systemTrees } from './step-mounts.ts';
import { becomeCommand, becomeProcess, type ProcessFacts } from './step-process.ts';
import type { StepRoots } from './step-roots.ts';

/** A mount of the plan, with what was found out about it. */
export interface PlacedMount {
  readonly mount: Mount;
  readonly point: MountPoint;
  /** Where it is taken from; a tmpfs comes from nowhere. */
  readonly source: string | undefined;
}

/** What the program needs to know besides the plan: facts of this machine, and where the engine put things. */
export interface StepFacts extends Omit<SystemFacts, 'onBoundProc'>, ProcessFacts, StepRoots {
  /** resolv.conf and hosts first, then those of the plan. */
  readonly mounts: readonly PlacedMount[];
  /** Which paths of /proc and /sys this machine has, among those that are hidden. */
  readonly existing: ReadonlyMap<string, 'file' | 'directory'>;
}

const CLONE_NEWNS = 0x20000;
const CLONE_NEWUTS = 0x4000000;
const CLONE_NEWIPC = 0x8000000;
const CLONE_NEWPID = 0x20000000;
const CLONE_NEWNET = 0x40000000;
const SIGCHLD = 17;
const MNT_DETACH = 2;
const CLOEXEC = 0x80000;

/**
 * The program of a step (DESIGN §6): three processes, of which the outermost is our child and ends with us, the second is the
 * first of a pid namespace and takes all others with it, and the third becomes the command. It never has a path of ours
 * to follow once it looked at the image: all that it needs was taken before the root went.
 */
export function stepProgram(plan: SandboxPlan, facts: StepFacts): readonly Item[] {
  const command = label();
  const status = message(messages.commandStatus);
  const flags =
    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | (plan.network === 'none' ? CLONE_NEWNET : 0);
  const first = [
    call('clone', [flags | SIGCHLD], {
      about: 'make the namespaces of the step',
      when: { equals: 0, goto: command },
    }),
    ...waitFor(status),
    tell(status),
    call('exit_group', [0]),
    command,
    ...commandItems(plan, facts),
  ];
  return inPidNamespace(first, { mounts: false, before: enterGroups(plan.cgroups) });
}

function commandItems(plan: SandboxPlan, facts: StepFacts): readonly Item[] {
  const outer = block([-1]);
  const system = systemTrees(plan, {
    ...facts,
    onBoundProc: [markBoundProc(from(outer))],
  });
  const hidden = plan.insecure ? { prepare: [], attach: [] } : masks(facts.existing, `${facts.memory}/empty`);
  const trees = facts.mounts.map((one) => ({ ...one, tree: from(block()) }));
  return [
    privateMounts,
    call('umask', [0o022]),
    ...networkItems(plan),
    ...system.prepare,
    ...memoryFiles(plan, facts.memory),
    ...hidden.prepare,
    ...setupItems(facts),
    ...trees.flatMap(takeMount),
    ...enterRoot(facts.rootfs),
    ...system.attach,
    ...hidden.attach,
    ...trees.flatMap(({ tree, point }) => attachInside(tree, point)),
    call('sethostname', [plan.hostname, Buffer.byteLength(plan.hostname)], { about: 'set the host name' }),
    ...leaveOthers(from(outer)),
    ...becomeProcess(plan, facts),
    ...becomeCommand(plan.process),
  ];
}

function networkItems({ network, networkNamespace }: SandboxPlan): readonly Item[] {
  const socket = from(block());
  if (network === 'none') {
    const about = 'start the loopback interface';
    const request = Buffer.alloc(40);
    request.write('lo');
    // IFF_UP and IFF_RUNNING.
    request.writeUInt16LE(0x41, 16);
    return [
      call('socket', [2, 2, 0], { about, result: socket }),
      call('ioctl', [socket, 0x8914, request], { about }),
      call('close', [socket]),
    ];
  }
  return enterNetwork(networkNamespace);
}

function setupItems({ names, setup }: StepFacts): readonly Item[] {
  return [call('chdir', [names], { about: `enter ${names}` }), ...setup.flatMap(setupMount)];
}

interface TakenMount extends PlacedMount {
  readonly tree: Content;
}

function takeMount({ mount, source, tree }: TakenMount): readonly Item[] {
  if (mount.kind === 'tmpfs') {
    const { sizeBytes, mode = 0o1777 } = mount;
    const size = sizeBytes === undefined ? {} : { size: String(sizeBytes) };
    return newFileSystem(
      { type: 'tmpfs', options: { mode: mode.toString(8), ...size }, attributes: NOSUID | NODEV },
      tree,
    );
  }
  const readonly = mount.kind === 'file' || mount.readonly;
  const attributes = NOSUID | NODEV | (readonly ? RDONLY : 0);
  return [copyTree(source!, tree, { recursive: true }), setAttributes(tree, attributes, true)];
}

/** From here on no path leads to what is ours. */
function enterRoot(rootfs: string): readonly Item[] {
  const about = 'make the root filesystem its root';
  return [
    call('chdir', [rootfs], { about }),
    call('pivot_root', ['.', '.'], { about }),
    call('umount2', ['.', MNT_DETACH], { about }),
    call('chdir', ['/'], { about }),
  ];
}

/** A descriptor, open only where /proc shows processes that are not the step's. */
function markBoundProc(mark: Content): Item {
  return call('openat', [AT_FDCWD, '/', constants.O_RDONLY | CLOEXEC], { result: mark });
}

/** With the same rights over the processes of others a step could read what it sees of them. */
function leaveOthers(mark: Content): readonly Item[] {
  const own = label();
  return [call('close', [mark], { tolerate: ['EBADF'], otherwise: own }), ...ownUserNamespace(), own];
}
