import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { errnoOf } from '../../src/core/errors.ts';
import type { GroupLimit } from './group-limits.ts';

/** A mounted hierarchy of control groups, and where this process stands in it. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** Own group, as an absolute folder. */
  readonly own: string;
  /** The topmost group that can be seen. */
  readonly top: string;
  /** What a hierarchy of version 1 controls; of version 2 each group says it by itself. */
  readonly controllers: readonly string[];
}

/** A group in which groups for steps can be made, and the limits that they hold there. */
export interface GroupParent {
  readonly folder: string;
  readonly version: 1 | 2;
  readonly limits: readonly GroupLimit[];
}

/** Our own group below one that we must leave, so that it may hand controllers on (cgroup-v2.rst, no internal processes). */
const OWN_LEAF = 'tsbuild';

/** The hierarchies that this process stands in, from `/proc/self/cgroup` and `/proc/self/mountinfo`. */
export function hierarchies(
  groups = readFileSync('/proc/self/cgroup', 'utf8'),
  mounts = readFileSync('/proc/self/mountinfo', 'utf8'),
): readonly Hierarchy[] {
  const mounted = mounts.split('\n').flatMap((line) => parseMount(line) ?? []);
  return groups.split('\n').flatMap((line) => {
    const [, names = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) return [];
    const controllers = names.split(',').filter((name) => name !== '');
    const mount = mounted.findLast(({ version, options }) =>
      controllers.length === 0
        ? version === 2
        : version === 1 && controllers.every((name) => options.includes(name)),
    );
    if (mount === undefined) return [];
    const below = relative(mount.root, path);
    const own = below.startsWith('..') ? mount.place : join(mount.place, below);
    return [{ version: mount.version, own, top: mount.place, controllers }];
  });
}

/**
 * Where groups can be made that hold the limits; what none of them holds is missing from the result. Of version 2 that is
 * beside our own group, or below it where only we and ours are in it (which move one further down): what is handed over
 * to a person or a container (cgroup-v2.rst, delegation).
 */
export function parentsFor(limits: readonly GroupLimit[], all = hierarchies()): readonly GroupParent[] {
  const parents: GroupParent[] = [];
  for (const hierarchy of all) {
    const open = limits.filter((limit) => !parents.some((parent) => parent.limits.includes(limit)));
    const parent = hierarchy.version === 1 ? parentOf1(hierarchy, open) : parentOf2(hierarchy, open);
    if (parent !== undefined && parent.limits.length > 0) parents.push(parent);
  }
  return parents;
}

interface Mounted {
  readonly version: 1 | 2;
  readonly root: string;
  readonly place: string;
  readonly options: readonly string[];
}

/** A line of mountinfo (proc_pid_mountinfo(5)) that shows control groups. */
function parseMount(line: string): Mounted | undefined {
  const [before = '', after = ''] = line.split(' - ');
  const [, , , root = '/', place = '/'] = before.split(' ');
  const [type, , options = ''] = after.split(' ');
  if (type !== 'cgroup' && type !== 'cgroup2') return undefined;
  return { version: type === 'cgroup' ? 1 : 2, root, place, options: options.split(',') };
}

function parentOf1({ own, controllers }: Hierarchy, limits: readonly GroupLimit[]): GroupParent | undefined {
  const held = limits.filter(({ controller }) => controllers.includes(controller));
  return held.length > 0 && isWritable(own) ? { folder: own, version: 1, limits: held } : undefined;
}

function parentOf2({ own, top }: Hierarchy, limits: readonly GroupLimit[]): GroupParent | undefined {
  const beside = own === top ? undefined : handedOn(dirname(own), limits);
  if (beside !== undefined && beside.limits.length === limits.length) return beside;
  const has = wordsOf(join(own, 'cgroup.controllers'));
  const useful = isWritable(own) && limits.some(({ controller }) => has.includes(controller));
  const below = useful && makeRoom(own) ? handedOn(own, limits) : undefined;
  return (below?.limits.length ?? 0) > (beside?.limits.length ?? 0) ? below : beside;
}

/** The limits whose controllers a group hands on, or does so when told to. */
function handedOn(folder: string, limits: readonly GroupLimit[]): GroupParent | undefined {
  if (!isWritable(folder)) return undefined;
  const held = limits.filter(({ controller }) => handsOn(folder, controller));
  return { folder, version: 2, limits: held };
}

function handsOn(folder: string, controller: string): boolean {
  const file = join(folder, 'cgroup.subtree_control');
  if (!wordsOf(join(folder, 'cgroup.controllers')).includes(controller)) return false;
  return wordsOf(file).includes(controller) || write(file, `+${controller}`);
}

/**
 * Moves what is in a group one further down, where that is nobody's but ours: us, what started us, and what we started.
 * The topmost group of the whole machine needs no such thing.
 */
function makeRoom(own: string): boolean {
  const file = join(own, 'cgroup.procs');
  const inside = wordsOf(file);
  if (!existsSync(join(own, 'cgroup.type'))) return true;
  if (!inside.every(isRelated)) return false;
  const leaf = join(own, OWN_LEAF);
  try {
    mkdirSync(leaf, { recursive: true });
  } catch {
    return false;
  }
  return inside.every((pid) => write(join(leaf, 'cgroup.procs'), pid));
}

function isRelated(pid: string): boolean {
  const self = String(process.pid);
  return lineOf(self).includes(pid) || lineOf(pid).includes(self);
}

/** A process and those that it comes from. */
function lineOf(pid: string): readonly string[] {
  const parent = /^PPid:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];
  return parent === undefined || parent === '0' ? [pid] : [pid, ...lineOf(parent)];
}

/** Groups can be made in it, and processes moved into them from beside it. */
function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    accessSync(join(folder, 'cgroup.procs'), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function wordsOf(file: string): readonly string[] {
  return read(file)
    .split(/\s+/)
    .filter((word) => word !== '');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // It is gone, or not for us.
    return '';
  }
}

function write(file: string, value: string): boolean {
  try {
    writeFileSync(file, value);
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}
