import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '../../src/core/errors.ts';
import { heldCapabilities } from './capabilities.ts';
import { writeEtcFiles } from './etc-files.ts';
import { hasGroup, isRealRoot, writeIdentityMaps } from './id-maps.ts';
import { placeOf, residueOf } from './image-places.ts';
import { rlimits } from './limits.ts';
import { memoryFiles } from './memory-files.ts';
import { ociConfig } from './oci-config.ts';
import type { Engine, Exit, SandboxPlan } from './plan.ts';
import { assemble } from './program/assemble.ts';
import { call, type Item } from './program/calls.ts';
import { NODEV, NOEXEC, NOSUID, privateMounts, RDONLY } from './program/mounts.ts';
import {
  becomeProgram,
  enterGroups,
  enterNetwork,
  inPidNamespace,
  messages,
  ownUserNamespace,
} from './program/namespaces.ts';
import { searchPath } from './programs.ts';
import { commandCode } from './runtime-failure.ts';
import { setupMount } from './setup-mount.ts';
import { TERMINAL_GROUP } from './step-mounts.ts';
import { layOutRoots, type StepRoots } from './step-roots.ts';
import { type Request, superviseProgram } from './supervise.ts';

/** An OCI runtime that was found. */
export interface RuntimeProgram {
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
}

/**
 * Runs plans with any OCI runtime (`crun`, `runc`, a path). The step's own process mounts the overlay in its own mount
 * namespace, so nothing is ever mounted where we are, and everything ends with that process (DESIGN §6).
 */
export function ociRuntime(program: RuntimeProgram): Engine {
  return {
    name: program.name,
    async run(plan, io, scratch, signal) {
      signal.throwIfAborted();
      if (program.name === 'runc' && isProcCovered()) throw needsOwnProc(program.name);
      const folder = join(scratch, 'bundle');
      const roots = layOut(plan, folder);
      const residue = residueOf(plan, roots.layers);
      const surroundings = assemble(surroundingsOf(plan, { roots, program, folder }));
      const ended = await superviseProgram(surroundings, { io, folder, signal, terminal: 'ours', attend });
      return { code: commandCode(ended, folder, program.name), residue } satisfies Exit;
    },
  };
}

/** runc looks for its child in /proc, where ours has another number, and so finds anything or nothing. */
function needsOwnProc(runtime: string): BuildError {
  return new BuildError('sandbox', `${runtime} cannot run steps where parts of /proc are hidden`, {
    hint: 'Leave --runtime away: the built-in engine can. Or show all of /proc: docker run --security-opt systempaths=unconfined, procMount: Unmasked in Kubernetes.',
  });
}

/** Our part in a step that waits for it. */
async function attend({ message, pid }: Request): Promise<void> {
  if (message === messages.userNamespace) writeIdentityMaps(pid);
}

interface Bundle {
  readonly roots: StepRoots;
  readonly program: RuntimeProgram;
  readonly folder: string;
}

/** What runs first, as pid 1 of the namespace around the runtime's own: it mounts and becomes the runtime. */
function surroundingsOf(plan: SandboxPlan, { roots, program, folder }: Bundle): readonly Item[] {
  const [path, ...args] = commandLine(program, folder);
  const first = [
    privateMounts,
    call('mount', ['proc', '/proc', 'proc', NOSUID | NODEV | NOEXEC, 0], {
      about: 'mount /proc',
      tolerate: ['EPERM', 'EACCES'],
    }),
    ...(plan.mounts.some(({ kind }) => kind === 'file') ? memoryFiles(plan, roots.memory) : []),
    call('chdir', [roots.names]),
    ...roots.setup.flatMap(setupMount),
    ...(isCrun(program) && !isCgroup2() ? [cgroupMask] : []),
    call('chdir', ['/']),
    ...(isProcCovered() ? ownUserNamespace() : []),
    ...becomeProgram([path!, ...args], environment(folder)),
  ];
  const before = [...enterGroups(plan.cgroups), ...enterNetwork(plan.networkNamespace)];
  return inPidNamespace(first, { mounts: true, before });
}

/** Nothing of ours is inherited. */
function environment(folder: string): readonly string[] {
  return [`PATH=${searchPath()}`, 'LC_ALL=C', `XDG_RUNTIME_DIR=${folder}`];
}

/**
 * The container's name is unique on the machine: runc as root names a cgroup after it. What crun can no longer log it
 * writes to the step's stderr, in the same format: so as text, for people.
 */
function commandLine(program: RuntimeProgram, folder: string): string[] {
  const log = ['--log', join(folder, 'runtime.log'), '--log-format', isCrun(program) ? 'text' : 'json'];
  const cgroups = isCrun(program) ? ['--cgroup-manager=disabled'] : [];
  const root = ['--root', join(folder, 'state')];
  const name = `tsbuild-${randomUUID()}`;
  return [program.path, ...root, ...log, ...cgroups, 'run', '--bundle', folder, name];
}

function layOut(plan: SandboxPlan, folder: string): StepRoots {
  const roots = layOutRoots(plan, folder);
  mkdirSync(join(folder, 'state'), { mode: 0o700 });
  const facts = {
    rootfs: roots.rootfs,
    sources: roots.sources,
    held: heldCapabilities(),
    rlimits: rlimits(plan.ulimits),
    realRoot: isRealRoot(),
    boundProc: isProcCovered(),
    terminalGroup: hasGroup(TERMINAL_GROUP),
    path: searchPath(),
    placeOf: (target: string) => placeOf(target, plan, roots.layers),
    ...writeEtcFiles(plan, folder),
  };
  writeFileSync(join(folder, 'config.json'), jsonOf(ociConfig(plan, facts)), { mode: 0o600 });
  return roots;
}

/** crun refuses a hybrid cgroup hierarchy even when it is told to leave cgroups alone; hidden, it does not look. */
const cgroupMask = call('mount', ['tmpfs', '/sys/fs/cgroup', 'tmpfs', RDONLY, 'size=4k'], {
  about: 'hide control groups',
});

/** Whether something lies over parts of /proc, as in most containers: the kernel then allows a new one to real root alone. */
function isProcCovered(): boolean {
  if (isRealRoot()) return false;
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
  return points.some((point) => point.startsWith('/proc/') && !point.startsWith('/proc/sys/fs/binfmt_misc'));
}

const CGROUP2_MAGIC = 0x63677270;

function isCgroup2(): boolean {
  try {
    return statfsSync('/sys/fs/cgroup').type === CGROUP2_MAGIC;
  } catch {
    return true;
  }
}

function isCrun({ path, name }: RuntimeProgram): boolean {
  return name === 'crun' || path.endsWith('/crun');
}

/** Infinity of a limit is all ones, which a JavaScript number cannot say. */
function jsonOf(config: object): string {
  return JSON.stringify(config).replaceAll('18446744073709552000', '18446744073709551615');
}
