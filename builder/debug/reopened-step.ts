import { existsSync } from 'node:fs';
import { keyOf } from '../../src/core/digest.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { Layer } from '../../src/core/types.ts';
import { canBeHad } from '../remember.ts';
import type { RunTools } from '../steps/planned-run.ts';
import { commitChanges } from '../steps/run-changes.ts';
import type { RunInput } from '../steps/run-input.ts';
import type { RunMount } from '../steps/run-mounts.ts';
import { stackOf } from '../steps/stack.ts';
import { type KeptMount, type KeptStep, keptFolder, readStep, rewriteStep, upperIn } from './kept-step.ts';

/** A step that failed, ready to be looked at once more. */
export interface ReopenedStep {
  readonly input: RunInput;
  /** What is below it, and what it had changed. */
  readonly layers: readonly Layer[];
  /** Secrets and agents that it asked for, and that nobody has given now. */
  readonly absent: readonly { readonly type: 'secret' | 'ssh'; readonly id: string }[];
}

/** The step that a build's folder keeps; undefined where there is none, or none whose files are still there. */
export function keptIn(build: string): KeptStep | undefined {
  const folder = keptFolder(build);
  const step = readStep(folder);
  const isWhole = step?.changes !== undefined || existsSync(upperIn(folder));
  return isWhole ? step : undefined;
}

/**
 * Makes the step that a build's folder keeps ready. What it had changed becomes a layer the first time. Fails with `not-found`
 * where files that it stood on are gone, and with `sandbox` on another rung than it ran on.
 */
export async function reopenStep(build: string, step: KeptStep, tools: RunTools): Promise<ReopenedStep> {
  const changes = await changesOf(keptFolder(build), tools);
  const layers = [...step.layers, changes];
  const gone = [...layers, ...step.mounts.flatMap((mount) => ('layers' in mount ? mount.layers : []))].find(
    (layer) => !canBeHad(layer, tools),
  );
  if (gone !== undefined) throw pruned();
  const absent = await absentOf(step, tools);
  const { env, mounts, ...rest } = step;
  return {
    layers,
    absent: absent.map(({ type, id }) => ({ type, id })),
    input: {
      ...rest,
      env: new Map(env),
      hiddenEnv: new Map(),
      mounts: mounts.map(revived),
      freshMounts: false,
    },
  };
}

/** Two who look at once make the layer once. */
async function changesOf(folder: string, { store, signal }: RunTools): Promise<Layer> {
  await using _lock = await store.records.lock(keyOf({ failed: folder }), signal);
  const step = readStep(folder)!;
  if (step.changes !== undefined) return step.changes;
  if (step.mapping !== store.mapping) throw otherRung(step);
  if (!step.layers.every((layer) => canBeHad(layer, { store }))) throw pruned();
  const lower = await stackOf(step.layers, { store, signal });
  const owners = lower.flatMap((tree) => store.layers.ownersBeside(tree));
  const { exit, overlaid } = step;
  const made = { upper: upperIn(folder), exit, lower, overlaid, owners };
  const changes = await commitChanges(step.layers, made, { store, signal });
  rewriteStep(folder, { ...step, changes, bytes: 0 });
  return changes;
}

async function absentOf({ mounts }: KeptStep, tools: RunTools) {
  const asked = mounts.flatMap((mount) => (mount.type === 'secret' || mount.type === 'ssh' ? [mount] : []));
  const known = await Promise.all(
    asked.map(({ type, id }) => (type === 'secret' ? tools.secret(id) : tools.ssh(id))),
  );
  return asked.filter((_, at) => known[at] === undefined);
}

/** Nobody has to give a secret again to look at files. */
function revived(mount: KeptMount): RunMount {
  if (mount.type === 'secret' || mount.type === 'ssh') return { ...mount, required: false };
  if (mount.type !== 'bind') return mount;
  const { layers, path, ...rest } = mount;
  return { ...rest, source: { snapshot: { layers }, path } };
}

function pruned(): BuildError {
  return new BuildError('not-found', 'files that the failed step stood on have been pruned', {
    hint: 'Build again: the step fails again, and is kept again.',
  });
}

function otherRung({ isolation }: KeptStep): BuildError {
  return new BuildError(
    'sandbox',
    `the failed step ran with isolation \`${isolation}\`, and its files are of no use here`,
    {
      hint: `Add --isolation ${isolation}, as the same person.`,
    },
  );
}
