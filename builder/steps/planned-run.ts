import { timed } from '../../src/core/spans.ts';
import type { HeldCopy } from '../../src/core/store.ts';
import type { Layer } from '../../src/core/types.ts';
import type { Bounds, Confined } from '../sandbox/confines.ts';
import type { Engine, SandboxPlan } from '../sandbox/plan.ts';
import type { Tools } from '../tools.ts';
import { checkMachine, holdCopy, planProcess, type WantedProcess } from './process-plan.ts';
import type { RootForm } from './root-form.ts';
import { type HeldMounts, holdMounts, type MountTools } from './run-holding.ts';
import type { RunInput } from './run-input.ts';

/** What a RUN is run with. */
export type RunTools = MountTools & Pick<Tools, 'confines'>;

export interface Running {
  readonly input: RunInput;
  readonly form: RootForm;
  readonly engine: Engine;
}

/** A RUN about to be run: its plan, and what is held for it. */
export interface PlannedRun extends Running {
  readonly plan: SandboxPlan;
  readonly mounts: HeldMounts;
  readonly confined: Confined;
  /** Where steps work on copies. */
  readonly copy: HeldCopy | undefined;
  /** A private folder, which holds the upper directory. */
  readonly scratch: string;
}

/** Makes everything ready for a RUN on top of `layers`, and holds it until `work` is done. */
export async function withPlan<T>(
  layers: readonly Layer[],
  { running, tools }: { readonly running: Running; readonly tools: RunTools },
  work: (planned: PlannedRun) => Promise<T>,
): Promise<T> {
  const { input, form, engine } = running;
  const { emit, store, signal } = tools;
  await using scratch = await store.scratch();
  const around = { store, signal, scratch: scratch.path };
  await checkMachine(input.machine, layers, around);
  await using mounts = await holdMounts(
    { ...input, form, moved: engine.moves === true },
    scratch.path,
    tools,
  );
  await using copy = await timed(emit, 'unpack', () => holdCopy(form, layers, around));
  await using confined = await tools.confines.confine(input.network, scratch.path);
  const wanted = { ...wantedOf(input, mounts), ...confined.bounds };
  const plan = await timed(emit, 'unpack', () => planProcess(layers, wanted, { ...around, copy }));
  return await work({ ...running, plan, mounts, confined, copy, scratch: scratch.path });
}

/** What the process is, apart from the tree it runs in and its bounds. */
function wantedOf(input: RunInput, mounts: HeldMounts): Omit<WantedProcess, keyof Bounds> {
  return {
    mounts: mounts.mounts,
    process: {
      args: input.command.args,
      env: new Map([...input.env, ...input.hiddenEnv, ...mounts.env]),
      cwd: input.workdir,
      user: input.user,
      terminal: false,
    },
    hostname: input.hostname,
    insecure: input.insecure,
  };
}
