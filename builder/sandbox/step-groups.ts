import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BuildError, errnoOf } from '../../src/core/errors.ts';
import { flock } from '../../src/sys/file.ts';
import type { GroupParent, Hierarchy } from './control-groups.ts';
import type { GroupFile } from './group-limits.ts';

/** The control groups of one step, removed with it. */
export interface StepGroups extends AsyncDisposable {
  /** What the step's process has to enter. */
  readonly folders: readonly string[];
  /** How many processes the kernel has ended for want of memory, in the whole step. */
  memoryKills(): number;
}

interface Made {
  readonly folder: string;
  /** Held open, locked: who finds a group whose lock can be had removes it. */
  readonly lock: number;
}

/** What a group of ours begins with, and no container of a runtime; what follows is unique on the machine. */
const PREFIX = 'tsbuild-limits-';
/** Kept from the group's own limits: a runtime may make groups of its own beside it, still within the limits. */
const LEAF = 'step';
/** A group is busy for a moment after its last process has ended. */
const REMOVALS = 100;

/** Makes a group below each parent and sets its limits. Throws `sandbox` where the kernel refuses a value. */
export function openStepGroups(parents: readonly GroupParent[]): StepGroups {
  const name = PREFIX + randomUUID();
  const made: Made[] = [];
  const dispose = async (): Promise<void> => {
    for (const one of made.splice(0)) await remove(one);
  };
  try {
    const folders = parents.map((parent) => {
      const group = make(join(parent.folder, name));
      made.push(group);
      return furnish(group.folder, parent);
    });
    return {
      folders,
      memoryKills: () => made.reduce((sum, { folder }) => sum + killsIn(folder), 0),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    void dispose();
    throw error;
  }
}

/** Removes groups that killed builds have left. */
export function sweepStepGroups(parents: readonly GroupParent[]): void {
  for (const { folder } of parents) {
    for (const name of readdirSync(folder)) {
      if (name.startsWith(PREFIX)) sweep(join(folder, name));
    }
  }
}

/** How many processes the kernel has ended in a group for want of memory: in it alone (version 1) or below it too (2). */
export function memoryKillsOf(all: readonly Hierarchy[]): number {
  const own = all.find(({ version, controllers }) => version === 2 || controllers.includes('memory'));
  return own === undefined ? 0 : killsAt(own.own);
}

/** The group that a step enters. */
function furnish(folder: string, { limits, version }: GroupParent): string {
  for (const { flag, files } of limits) for (const file of files[version]) set(folder, file, flag);
  // A new group of version 1 has no processors before it is given some.
  if (version === 1) return folder;
  const leaf = join(folder, LEAF);
  mkdirSync(leaf);
  return leaf;
}

function set(folder: string, { name, value, optional }: GroupFile, flag: string): void {
  const file = join(folder, name);
  if (optional === true && !existsSync(file)) return;
  const written = value ?? readFileSync(join(dirname(folder), name), 'utf8').trim();
  try {
    writeFileSync(file, written);
  } catch (error) {
    throw new BuildError('sandbox', `${flag}: the kernel refuses ${written} in ${name} (${errnoOf(error)})`, {
      cause: error,
      hint: 'Give a value that this machine has, and that its own limits leave room for.',
    });
  }
}

function make(folder: string): Made {
  for (;;) {
    mkdirSync(folder, { recursive: true });
    const lock = locked(folder);
    if (lock !== undefined) return { folder, lock };
  }
}

/** Locks a group that is there; undefined where another has it, or has removed it meanwhile. */
function locked(folder: string): number | undefined {
  let lock: number;
  try {
    lock = openSync(folder, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  if (flock(lock, 'exclusive', true) && existsSync(folder)) return lock;
  closeSync(lock);
  return undefined;
}

function sweep(folder: string): void {
  const lock = locked(folder);
  if (lock === undefined) return;
  removeEmpty(folder);
  closeSync(lock);
}

async function remove({ folder, lock }: Made): Promise<void> {
  for (let attempt = 0; attempt < REMOVALS && !removeEmpty(folder); attempt++) await sleep(10);
  closeSync(lock);
}

/** Removes a group and those below it; false where there is a process in one of them still. */
function removeEmpty(folder: string): boolean {
  try {
    for (const { name } of foldersIn(folder)) if (!removeEmpty(join(folder, name))) return false;
    rmdirSync(folder);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true;
    if (errnoOf(error) === 'EBUSY') return false;
    throw error;
  }
}

function foldersIn(folder: string) {
  return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
}

/** Version 1 counts a kill only where the process was. */
function killsIn(folder: string): number {
  if (existsSync(join(folder, 'memory.events'))) return killsAt(folder);
  return foldersIn(folder).reduce((sum, { name }) => sum + killsIn(join(folder, name)), killsAt(folder));
}

function killsAt(folder: string): number {
  for (const name of ['memory.events', 'memory.oom_control']) {
    try {
      return Number(/^oom_kill (\d+)/m.exec(readFileSync(join(folder, name), 'utf8'))?.[1] ?? 0);
    } catch {
      // The other version, or no such controller.
    }
  }
  return 0;
}
