import type { Instruction } from '../../src/containerfile/types.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { Layer } from '../../src/core/types.ts';
import { LostLayer, missingOf } from '../remember.ts';
import type { StageScope, StageState } from '../state.ts';
import { runInputOf } from '../steps/apply-run.ts';
import { type PlannedRun, withPlan } from '../steps/planned-run.ts';
import type { RunInput } from '../steps/run-input.ts';
import { stageProcess } from '../steps/stage-process.ts';
import type { Tools } from '../tools.ts';
import type { Debugger } from './debugger.ts';
import { runShell } from './shell.ts';

/**
 * Lets somebody look around before an instruction, in what is below it and with the mounts that it has. What they change is dropped.
 * Fails with `interrupted` where they end the build.
 */
export async function stopBefore(
  instruction: Instruction,
  state: StageState,
  { scope, debug }: { readonly scope: StageScope; readonly debug: Debugger },
): Promise<void> {
  const { tools } = scope;
  const input = await inputBefore(instruction, state, scope);
  const layers = layersOf(state, tools);
  const engine = await tools.engine();
  await tools.rootForms.use(engine, (form) =>
    withPlan(layers, { running: { input, form, engine }, tools }, (planned) =>
      lookAround(planned, debug, tools),
    ),
  );
}

async function inputBefore(
  instruction: Instruction,
  state: StageState,
  scope: StageScope,
): Promise<RunInput> {
  if (instruction.kind === 'run') return await runInputOf(instruction, state, scope);
  const input = await stageProcess(instruction, state, scope);
  return { ...input, shown: { ...input.shown, name: `${input.shown.name} ${instruction.source}` } };
}

/** A way that the stage may have gone of which every layer can be had. */
function layersOf({ candidates }: StageState, tools: Tools): readonly Layer[] {
  const found = candidates.find(({ snapshot }) => missingOf(snapshot, tools).length === 0);
  if (found === undefined) throw new LostLayer(missingOf(candidates[0]!.snapshot, tools));
  return found.snapshot.layers;
}

async function lookAround(planned: PlannedRun, debug: Debugger, tools: Tools): Promise<void> {
  const { input, plan, engine, scratch } = planned;
  const { shown, user, workdir, shell } = input;
  const answer = await debug.stop({ ...shown, user, workdir }, async (terminal) => {
    const { code } = await runShell({ plan, shell, engine, scratch }, { terminal }, tools.signal);
    return code;
  });
  if (answer === 'quit')
    throw new BuildError('interrupted', 'the build was ended where --break stopped it', {
      hint: 'Type continue there to go on.',
    });
}
