import { boundingSet } from './capabilities.ts';
import type { Rlimit } from './limits.ts';
import type { Mount, SandboxPlan } from './plan.ts';
import { filterRules, ociSeccomp } from './seccomp.ts';
import { maskedPaths, readonlyPaths, TERMINAL_GROUP } from './step-mounts.ts';

/** What a bundle needs to know besides the plan: facts of this machine and where the engine put things. */
export interface BundleFacts {
  /** Absolute path at which the root is mounted when the runtime starts. */
  readonly rootfs: string;
  readonly hostsFile: string;
  readonly resolvFile: string;
  /** Absolute source of each mount of the plan, by its position; a tmpfs has none. */
  readonly sources: readonly (string | undefined)[];
  /** Where a target really lies inside the root, links followed. */
  readonly placeOf: (target: string) => string;
  /** What we hold ourselves: a step never gets more. */
  readonly held: readonly string[];
  readonly rlimits: readonly Rlimit[];
  /** PATH for the machine's own programs. */
  readonly path: string;
  /** Outside of any user namespace, where the network namespace is ours and a sysfs of its own can be mounted. */
  readonly realRoot: boolean;
  /** A new /proc cannot be had: that of the builder is shown. */
  readonly boundProc: boolean;
  /** The group of terminals exists here. */
  readonly terminalGroup: boolean;
}

/**
 * The plan as `config.json` of an OCI bundle (runtime-spec, config.md). The user namespace is ours already, so none
 * is asked for; `noNewPrivileges` is off unless it is asked for, as in docker build: sudo works in a step.
 */
export function ociConfig(plan: SandboxPlan, facts: BundleFacts): object {
  return {
    ociVersion: '1.0.2',
    root: { path: facts.rootfs, readonly: 'lower' in plan.root && plan.root.upper === undefined },
    hostname: plan.hostname,
    process: processOf(plan, facts),
    mounts: [
      ...systemMounts(plan, facts),
      ...fileMounts(facts),
      ...plan.mounts.map((m, i) => mountOf(m, facts.placeOf(m.target), facts.sources[i])),
    ],
    ...(facts.realRoot && !plan.insecure && { hooks: { createContainer: [noDevicesHook(facts)] } }),
    linux: {
      namespaces: [
        ...['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
        ...(plan.network === 'none' ? [{ type: 'network' }] : []),
      ],
      ...(!plan.insecure && {
        ...(!plan.rights?.unfiltered && { seccomp: ociSeccomp(filterRules(boundingSet(plan, facts.held))) }),
        maskedPaths,
        readonlyPaths,
      }),
    },
  };
}

function processOf(plan: SandboxPlan, facts: BundleFacts): object {
  const { args, env, cwd, uid, gid, groups, terminal } = plan.process;
  const bounding = boundingSet(plan, facts.held);
  const effective = uid === 0 ? bounding : [];
  return {
    args,
    env,
    cwd,
    terminal: terminal !== false,
    ...(terminal !== false && { consoleSize: { height: terminal.rows, width: terminal.columns } }),
    user: { uid, gid, additionalGids: groups, umask: 0o22 },
    noNewPrivileges: plan.rights?.noNewPrivileges ?? false,
    capabilities: { bounding, effective, permitted: effective, inheritable: [], ambient: [] },
    rlimits: facts.rlimits,
  };
}

function systemMounts(plan: SandboxPlan, { realRoot, boundProc, terminalGroup }: BundleFacts): object[] {
  const plain = ['nosuid', 'noexec', 'nodev'];
  const writable = plan.insecure ? [] : ['ro'];
  // Where /proc is bound, the runtime stands in a user namespace below that of a private network.
  const ownNetwork = plan.network === 'none' || (plan.network === 'private' && !boundProc);
  const sys =
    ownNetwork || realRoot
      ? { type: 'sysfs', source: 'sysfs', options: [...plain, ...writable] }
      : { type: 'bind', source: '/sys', options: ['rbind', ...plain, ...writable] };
  const group = terminalGroup ? [`gid=${TERMINAL_GROUP}`] : [];
  const shm = `size=${plan.shmSizeBytes ?? 64 * 1024 * 1024}`;
  return [
    boundProc
      ? { destination: '/proc', type: 'bind', source: '/proc', options: ['rbind', ...plain] }
      : { destination: '/proc', type: 'proc', source: 'proc', options: plain },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: [
        'nosuid',
        'strictatime',
        'mode=755',
        'size=65536k',
        ...(realRoot && !plan.insecure ? ['nodev'] : []),
      ],
    },
    ...(realRoot && !plan.insecure ? deviceMounts : []),
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', ...group],
    },
    { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...plain, 'mode=1777', shm] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: plain },
    { destination: '/sys', ...sys },
    {
      destination: '/sys/fs/cgroup',
      type: 'tmpfs',
      source: 'tmpfs',
      options: [...plain, 'ro', 'size=4k', 'mode=755'],
    },
  ];
}

/**
 * Real root may make device nodes: whatever it makes must not open, so that its file systems are all `nodev` (in a user
 * namespace they are by nature) and the few harmless devices are those of the machine, bound one by one.
 */
const deviceMounts = ['null', 'zero', 'full', 'random', 'urandom', 'tty'].map((name) => ({
  destination: `/dev/${name}`,
  type: 'bind',
  source: `/dev/${name}`,
  options: ['bind', 'rw', 'nosuid', 'noexec'],
}));

/**
 * Runtimes bind the root on itself, and crun forgets its `nodev` in doing so: set again inside the container's mount
 * namespace, before anything of the image runs.
 */
function noDevicesHook({ rootfs, path }: BundleFacts): object {
  // A hook that ends before it has read all of its stdin counts as failed with crun.
  const script = 'while read -r _; do :; done; exec mount -n -i -o remount,bind,nodev "$0"';
  const env = [`PATH=${path}`, 'LIBMOUNT_FORCE_MOUNT2=always', 'LC_ALL=C'];
  return { path: '/bin/sh', args: ['sh', '-c', script, rootfs], env };
}

function fileMounts(facts: BundleFacts): object[] {
  const options = ['bind', 'ro', 'nosuid', 'noexec', 'nodev'];
  return [
    { destination: facts.placeOf('/etc/resolv.conf'), type: 'bind', source: facts.resolvFile, options },
    { destination: facts.placeOf('/etc/hosts'), type: 'bind', source: facts.hostsFile, options },
  ];
}

function mountOf(mount: Mount, destination: string, source: string | undefined): object {
  if (mount.kind === 'tmpfs') {
    const { sizeBytes, mode } = mount;
    const options = [
      'nosuid',
      'nodev',
      `mode=${(mode ?? 0o1777).toString(8)}`,
      ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`]),
    ];
    return { destination, type: 'tmpfs', source: 'tmpfs', options };
  }
  return {
    destination,
    type: 'bind',
    source,
    options: ['rbind', mount.kind === 'file' || mount.readonly ? 'ro' : 'rw', 'nosuid', 'nodev'],
  };
}
