import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { Limits } from '../../src/core/options.ts';
import { hierarchies, parentsFor } from './control-groups.ts';
import { type GroupLimit, groupLimits } from './group-limits.ts';
import { inOneLine } from './remedy.ts';
import { memoryKillsOf, openStepGroups, type StepGroups, sweepStepGroups } from './step-groups.ts';

/** How the limits of a command are held for each of its processes. */
export interface HeldLimits {
  /** Limits of the kind that `--ulimit` sets, in place of what no control group can hold. */
  readonly ulimits: readonly string[];
  /** Control groups for one process, with what they are for. */
  open(): StepGroups;
}

/**
 * Finds out how limits can be held here: by control groups where they are ours to make; memory and processes else by
 * resource limits, which is not the same. `warn` is told once in what way they fall short.
 */
export function holdLimits(limits: Limits, warn: (text: string) => void): HeldLimits {
  const wanted = groupLimits(limits);
  const all = hierarchies();
  const parents = wanted.length === 0 ? [] : parentsFor(wanted, all);
  sweepStepGroups(parents);
  const held = parents.flatMap((parent) => parent.limits);
  const unheld = wanted.filter((limit) => !held.includes(limit));
  const ulimits = unheld.flatMap((limit) => ulimitFor(limit, limits) ?? []);
  if (unheld.length > 0) warn(shortfall(unheld));
  return { ulimits, open: () => counting(openStepGroups(parents), all) };
}

/** Without a group of its own a process shares ours, where its end can be seen as well. */
function counting(groups: StepGroups, all: ReturnType<typeof hierarchies>): StepGroups {
  const before = memoryKillsOf(all);
  return { ...groups, memoryKills: () => groups.memoryKills() + memoryKillsOf(all) - before };
}

/** A process's own memory; and processes by their user, of which those that are there already are no part of a step. */
function ulimitFor({ controller }: GroupLimit, { memoryBytes, pids }: Limits): string | undefined {
  if (controller === 'memory') return `data=${memoryBytes}`;
  return controller === 'pids' && isCounted() ? `nproc=${ownTasks() + pids!}` : undefined;
}

/** How control groups come to be handed over. */
export const delegation =
  'On a machine with systemd and cgroup v2, this gives a control group:\nsystemd-run --user --scope -p Delegate=yes tsbuild …';

/** In what way a limit falls short that no control group holds; `counted`: of whom the kernel counts the processes. */
export function wayWithout({ flag, controller }: GroupLimit, counted: boolean): string {
  if (controller === 'memory') return `${flag} holds for each process, not for a step as a whole`;
  if (controller === 'pids' && counted) return `${flag} counts all steps together`;
  return `${flag} is not held`;
}

function shortfall(unheld: readonly GroupLimit[]): string {
  const ways = unheld.map((limit) => wayWithout(limit, isCounted()));
  return `there is no control group to hold steps with: ${ways.join('; ')}. ${inOneLine(delegation)}`;
}

/** The kernel counts the processes of every user but the machine's own root. */
function isCounted(): boolean {
  const [, outside] = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/);
  return outside !== '0';
}

function ownTasks(): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.reduce((sum, pid) => sum + tasksOf(pid), 0);
}

function tasksOf(pid: string): number {
  try {
    return statSync(`/proc/${pid}`).uid === process.geteuid?.() ? readdirSync(`/proc/${pid}/task`).length : 0;
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}
