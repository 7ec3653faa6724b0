import { lstatSync, readdirSync, statfsSync } from 'node:fs';
import { nameOf, pathOf } from '../../src/core/bytes.ts';
import type { BuildError } from '../../src/core/errors.ts';
import { seemsSecret } from '../../src/core/secret-names.ts';
import type { Layer } from '../../src/core/types.ts';
import type { Exit } from '../sandbox/plan.ts';
import type { PlannedRun } from '../steps/planned-run.ts';
import { changesOf } from '../steps/run-changes.ts';
import type { RunMount } from '../steps/run-mounts.ts';
import { treesOf } from '../steps/run-sources.ts';
import type { Tools } from '../tools.ts';
import { type KeptMount, type KeptStep, keepStep, keptFolder } from './kept-step.ts';

/** A RUN whose process failed, with all that is still held for it. */
export interface FailedRun {
  readonly planned: PlannedRun;
  readonly exit: Exit;
  readonly failure: BuildError;
  /** What is below it. */
  readonly layers: readonly Layer[];
}

/** More than this is not kept of a step that failed. */
const mostBytes = 2e9;

/**
 * Keeps a step that failed in the build's folder, so that somebody can look around in it later. False where it was not: what it
 * wrote is too much, another step of the build is kept already, or it could not be.
 */
export async function keepFailed(failed: FailedRun, tools: Tools): Promise<boolean> {
  try {
    const { upper, ...changes } = await changesOf(failed.planned, failed.exit, tools.signal);
    const bytes = bytesWithin(upper, Math.min(mostBytes, freeBytes(tools.logs)));
    if (bytes === undefined) return false;
    const step = await keptStepOf(failed, tools);
    const { exit, overlaid } = changes;
    return keepStep(keptFolder(tools.logs), { ...step, exit, overlaid, bytes }, upper);
  } catch {
    // The failure of the step itself is what has to be told.
    return false;
  }
}

async function keptStepOf(
  { planned: { input }, exit, layers }: FailedRun,
  tools: Tools,
): Promise<Omit<KeptStep, 'exit' | 'overlaid' | 'bytes'>> {
  const { env, hiddenEnv: _, mounts, freshMounts: __, machine, ...rest } = input;
  const { os, architecture, variant } = machine;
  const { network, addHosts, dns, ulimits, shmSize, limits, buildArgs } = tools.options;
  const isSecret = (name: string): boolean => Object.hasOwn(buildArgs, name) && seemsSecret(name);
  return {
    ...rest,
    machine: { os, architecture, ...(variant !== undefined && { variant }) },
    env: [...env].filter(([name]) => !isSecret(name)),
    mounts: await Promise.all(mounts.map((mount) => keptMount(mount, tools))),
    bounds: { network, addHosts, dns, ulimits, limits, ...(shmSize !== undefined && { shmSize }) },
    exitCode: exit.code,
    layers,
    mapping: tools.store.mapping,
    isolation: tools.place.isolation,
  };
}

/** What a bind mount shows is unpacked by now: its layers are asked for once more, and nothing is read. */
async function keptMount(mount: RunMount, tools: Tools): Promise<KeptMount> {
  if (mount.type === 'bind') {
    const { type, target, writable, source } = mount;
    const { layers, path } = await treesOf(source, tools);
    return { type, target, writable, layers, path };
  }
  if (mount.type !== 'cache') return mount;
  const { source: _, ...kept } = mount;
  return kept;
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Bytes of all files below a folder; undefined where they are more than `most`. */
function bytesWithin(folder: string, most: number): number | undefined {
  let bytes = 0;
  const visit = (path: string): boolean =>
    readdirSync(pathOf(path), { encoding: 'buffer' }).every((name) => {
      const full = `${path}/${nameOf(name)}`;
      const stat = lstatSync(pathOf(full));
      bytes += stat.isFile() ? stat.size : 0;
      return bytes <= most && (!stat.isDirectory() || visit(full));
    });
  return visit(folder) ? bytes : undefined;
}
