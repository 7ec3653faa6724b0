import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '../../src/core/errors.ts';
import { heldCapabilities } from './capabilities.ts';
import { writeEtcFiles } from './etc-files.ts';
import { rlimits } from './limits.ts';
import { ociConfig } from './oci-config.ts';
import { overlayMount, type PathNames, plainNames, type SetupMount, ShortNames } from './overlay-mount.ts';
import type { Engine, Exit, Mount, Overlay, Root, SandboxIo, SandboxPlan } from './plan.ts';
import { searchPath } from './programs.ts';
import { missingParts, resolveIn } from './rootfs-view.ts';
import { commandCode } from './runtime-failure.ts';
import { superviseStep } from './supervise.ts';

/** An OCI runtime that was found. */
export interface RuntimeProgram {
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
}

/** A bundle on disk, and what the step's own process does before it becomes the runtime. */
interface Bundle {
  readonly folder: string;
  /** Where the names in the options of `setup` hold. */
  readonly names: string;
  readonly setup: readonly SetupMount[];
  /** Layers of the root, topmost first. */
  readonly layers: readonly string[];
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
      const bundle = layOut(plan, scratch, program);
      const residue = residueOf(plan, bundle.layers);
      const code = await runBundle(bundle, { plan, program, io, signal });
      return { code, residue } satisfies Exit;
    },
  };
}

interface Running {
  readonly plan: SandboxPlan;
  readonly program: RuntimeProgram;
  readonly io: SandboxIo;
  readonly signal: AbortSignal;
}

async function runBundle({ folder, names, setup }: Bundle, running: Running): Promise<number> {
  const { plan, program, io, signal } = running;
  const groups = (plan.cgroups ?? []).map((group) => join(group, 'cgroup.procs')).join(' ');
  const mounts = setup.flatMap(({ type, source, options, target }) => [type, source, options, target]);
  const args = [folder, names, groups, String(setup.length), ...mounts, ...commandLine(program, folder)];
  const ended = await superviseStep(args, { plan, io, folder, signal });
  return commandCode(ended, folder, program.name);
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

function layOut(plan: SandboxPlan, scratch: string, program: RuntimeProgram): Bundle {
  const folder = join(scratch, 'bundle');
  const rootfs = join(folder, 'rootfs');
  for (const path of [folder, rootfs, join(folder, 'state')]) mkdirSync(path, { mode: 0o700 });
  const root = rootOf(plan.root, folder);
  const trees = plan.mounts.flatMap((mount) => (mount.kind === 'tree' ? [mount.tree] : []));
  const names = plainNames([root, ...trees]) ?? new ShortNames(join(folder, 'l'));
  const setup = [overlayMount(root, rootfs, names)];
  const sources = plan.mounts.map((mount, at) =>
    sourceOf(mount, { aside: join(folder, `t${at}`), names, setup }),
  );
  if (isCrun(program) && !isCgroup2()) setup.push(cgroupMask);
  const layers = layersOf(plan.root);
  const facts = {
    rootfs,
    sources,
    held: heldCapabilities(),
    rlimits: rlimits(plan.ulimits),
    realRoot: isRealRoot(),
    path: searchPath(),
    placeOf: (target: string) => placeOf(target, plan, layers),
    ...writeEtcFiles(plan, folder),
  };
  writeFileSync(join(folder, 'config.json'), jsonOf(ociConfig(plan, facts)), { mode: 0o600 });
  return { folder, names: names.folder, setup, layers };
}

/** An overlay needs something below: an empty directory for `FROM scratch`. */
function rootOf(root: Root, folder: string): Overlay {
  if ('folder' in root) throw new Error('a root without an overlay is not laid out yet');
  if (root.lower.length > 0) return root;
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  return { ...root, lower: [empty] };
}

interface Aside {
  readonly aside: string;
  readonly names: PathNames;
  readonly setup: SetupMount[];
}

/** The path from which the runtime binds a mount; another root filesystem is first mounted aside. */
function sourceOf(mount: Mount, { aside, names, setup }: Aside): string | undefined {
  if (mount.kind === 'tmpfs') return undefined;
  if (mount.kind === 'bind') return mount.source;
  if (mount.kind === 'file') throw new Error('files in memory are not laid out yet');
  const { tree, path } = mount;
  const layers = layersOf(tree);
  const found = resolveIn(layers, path);
  if (found.existing < found.path.split('/').filter((part) => part !== '').length) {
    throw new BuildError(
      'not-found',
      `\`${path}\` does not exist in what is to be mounted on \`${mount.target}\``,
    );
  }
  mkdirSync(aside, { mode: 0o755 });
  setup.push(overlayMount(tree, aside, names));
  return join(aside, found.path);
}

/** Topmost first. */
function layersOf(root: Root): readonly string[] {
  if ('folder' in root) return [root.folder];
  const { lower, upper } = root;
  return upper === undefined ? lower : [upper, ...lower];
}

/**
 * Links of the image are followed here, inside its root: runtimes differ in what they do with them. What lies below
 * another mount is not in the layers and is left to the runtime, which stays inside the root as well.
 */
function placeOf(target: string, plan: SandboxPlan, layers: readonly string[]): string {
  const covers = [...system, ...plan.mounts.map((mount) => mount.target)];
  if (covers.some((cover) => target.startsWith(`${cover}/`))) return target;
  return `/${resolveIn(layers, target).path}`;
}

const system = ['/proc', '/sys', '/dev'];

/** All that is mounted on, and so made where it is missing. */
function residueOf(plan: SandboxPlan, layers: readonly string[]): readonly string[] {
  const targets = [
    '/proc',
    '/sys',
    '/dev',
    '/etc/resolv.conf',
    '/etc/hosts',
    ...plan.mounts.map((m) => m.target),
  ];
  const covered = system.map((path) => `${path}/`);
  const paths = targets.flatMap((target) => missingParts(layers, target));
  return [...new Set(paths)].filter((path) => !covered.some((cover) => `/${path}`.startsWith(cover))).sort();
}

/** crun refuses a hybrid cgroup hierarchy even when it is told to leave cgroups alone; hidden, it does not look. */
const cgroupMask: SetupMount = {
  type: 'tmpfs',
  source: 'tmpfs',
  options: 'ro,size=4k',
  target: '/sys/fs/cgroup',
};

/** True where ids are those of the machine itself. */
function isRealRoot(): boolean {
  return readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/).join(' ') === '0 0 4294967295';
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
