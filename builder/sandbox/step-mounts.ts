import type { SandboxPlan } from './plan.ts';
import { block, type Content, call, from, goto, type Item, label } from './program/calls.ts';
import {
  AT_FDCWD,
  attach,
  copyTree,
  NODEV,
  NOEXEC,
  NOSUID,
  newFileSystem,
  RDONLY,
  setAttributes,
} from './program/mounts.ts';

const PLAIN = NOSUID | NODEV | NOEXEC;
/** The group that owns terminals, `tty` on every distribution. */
export const TERMINAL_GROUP = 5;

const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];
const deviceLinks = {
  fd: '/proc/self/fd',
  stdin: '/proc/self/fd/0',
  stdout: '/proc/self/fd/1',
  stderr: '/proc/self/fd/2',
  ptmx: 'pts/ptmx',
  core: '/proc/kcore',
};

/** Descriptors of file systems that every step has, mounted nowhere yet. */
export interface SystemTrees {
  readonly prepare: readonly Item[];
  /** To be made once the root is the image. */
  readonly attach: readonly Item[];
}

export interface SystemFacts {
  /** Outside of any user namespace: there device nodes that a step makes would open. */
  readonly realRoot: boolean;
  /** The group of terminals exists here. */
  readonly terminalGroup: boolean;
  /** Told when the processes of the step see a /proc that is not their own. */
  readonly onBoundProc: readonly Item[];
  /** Names of /proc, /sys and /dev that the image lacks. */
  readonly missing: readonly string[];
}

/** /proc, /sys and /dev. What is made of nothing is made before the root goes, which the kernel wants for /proc. */
export function systemTrees(plan: SandboxPlan, facts: SystemFacts): SystemTrees {
  const parts = [procTree(facts), sysTree(plan, facts), devTree(plan, facts)];
  const folders = facts.missing.map((name) =>
    call('mkdirat', [AT_FDCWD, `/${name}`, 0o755], { about: `make /${name}`, tolerate: ['EEXIST'] }),
  );
  return {
    prepare: parts.flatMap((part) => part.prepare),
    attach: [...folders, ...parts.flatMap((part) => part.attach)],
  };
}

/** Where the machine hides parts of its /proc, the kernel allows no new one: that of the builder is shown. */
function procTree({ onBoundProc }: SystemFacts): SystemTrees {
  const tree = from(block());
  const [refused, done] = [label(), label()];
  return {
    prepare: [
      ...newFileSystem({ type: 'proc', attributes: PLAIN }, tree, {
        tolerate: ['EPERM', 'EACCES'],
        otherwise: refused,
      }),
      goto(done),
      refused,
      copyTree('/proc', tree, { recursive: true }),
      setAttributes(tree, PLAIN, true),
      ...onBoundProc,
      done,
    ],
    attach: attach(tree, '/proc'),
  };
}

/** A new one shows the devices of our own network namespace alone; it takes a right over that. */
function sysTree({ network, insecure }: SandboxPlan, { realRoot }: SystemFacts): SystemTrees {
  const [tree, cgroups] = [from(block()), from(block())];
  const attributes = insecure ? PLAIN : PLAIN | RDONLY;
  const [refused, done] = [label(), label()];
  const own = network !== 'host' || realRoot;
  const fresh = newFileSystem({ type: 'sysfs', attributes }, tree, {
    tolerate: ['EPERM', 'EACCES'],
    otherwise: refused,
  });
  return {
    prepare: [
      ...(own ? [...fresh, goto(done)] : []),
      refused,
      copyTree('/sys', tree, { recursive: true }),
      setAttributes(tree, attributes, true),
      done,
      ...newFileSystem(
        { type: 'tmpfs', options: { size: '4k', mode: '755' }, attributes: PLAIN | RDONLY },
        cgroups,
      ),
    ],
    attach: [...attach(tree, '/sys'), ...attach(cgroups, '/sys/fs/cgroup', { tolerate: ['ENOENT'] })],
  };
}

/**
 * Real root may make device nodes: whatever it makes must not open, so that its file systems are all `nodev` (in a user
 * namespace they are by nature). The few harmless devices are those of the machine, bound one by one.
 */
function devTree(
  { insecure, shmSizeBytes = 64 * 1024 * 1024 }: SandboxPlan,
  { realRoot, terminalGroup }: SystemFacts,
): SystemTrees {
  const [dev, pts, shm, mqueue] = [from(block()), from(block()), from(block()), from(block())];
  const nodes = devices.map((name) => ({ path: `/dev/${name}`, tree: from(block()) }));
  const noDevices = realRoot && !insecure ? NODEV : 0;
  const group: Record<string, string> = terminalGroup ? { gid: String(TERMINAL_GROUP) } : {};
  return {
    prepare: [
      ...newFileSystem(
        { type: 'tmpfs', options: { mode: '755', size: '65536k' }, attributes: NOSUID | noDevices },
        dev,
      ),
      ...newFileSystem(
        {
          type: 'devpts',
          options: { newinstance: true, ptmxmode: '0666', mode: '0620', ...group },
          attributes: NOSUID | NOEXEC,
        },
        pts,
      ),
      ...newFileSystem(
        { type: 'tmpfs', options: { mode: '1777', size: String(shmSizeBytes) }, attributes: PLAIN },
        shm,
      ),
      ...newFileSystem({ type: 'mqueue', attributes: PLAIN }, mqueue),
      ...nodes.flatMap(({ path, tree }) => [copyTree(path, tree), setAttributes(tree, NOSUID | NOEXEC)]),
    ],
    attach: [
      ...attach(dev, '/dev'),
      ...['pts', 'shm', 'mqueue'].map((name) => call('mkdirat', [AT_FDCWD, `/dev/${name}`, 0o755])),
      ...nodes.flatMap(({ path, tree }) => [
        call('mknodat', [AT_FDCWD, path, 0x8000 | 0o666, 0]),
        ...attach(tree, path),
      ]),
      ...Object.entries(deviceLinks).map(([name, to]) => call('symlinkat', [to, AT_FDCWD, `/dev/${name}`])),
      ...attach(pts, '/dev/pts'),
      ...attach(shm, '/dev/shm'),
      ...attach(mqueue, '/dev/mqueue'),
    ],
  };
}

/** Tells of the host's hardware and kernel, or leads into them. */
export const maskedPaths = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

/** Writing there would change the host. */
export const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/**
 * Lays an empty folder over the masked folders and the null device over the masked files; `existing` tells which there are
 * on this machine. `empty` is the path of an empty folder before the root goes.
 */
export function masks(existing: ReadonlyMap<string, 'file' | 'directory'>, empty: string): SystemTrees {
  const found = maskedPaths.flatMap((path) => (existing.has(path) ? [{ path, tree: from(block()) }] : []));
  return {
    prepare: found.map(({ path, tree }) =>
      copyTree(existing.get(path) === 'directory' ? empty : '/dev/null', tree),
    ),
    attach: [
      ...found.flatMap(({ path, tree }) => attach(tree, path, { tolerate: ['ENOENT', 'ENOTDIR'] })),
      ...readonlyPaths.flatMap((path) => (existing.has(path) ? makeReadonly(path) : [])),
    ],
  };
}

function makeReadonly(path: string): readonly Item[] {
  const tree: Content = from(block());
  const absent = label();
  return [
    copyTree(path, tree, { recursive: true, tolerate: ['ENOENT'], otherwise: absent }),
    setAttributes(tree, RDONLY | PLAIN, true),
    ...attach(tree, path),
    absent,
  ];
}
