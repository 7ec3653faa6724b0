import { makesLayer } from '../src/containerfile/layer-kinds.ts';
import { parseTrigger } from '../src/containerfile/parse.ts';
import type { GraphStage, Instruction, StageGraph } from '../src/containerfile/types.ts';
import { BuildError, writingFailed } from '../src/core/errors.ts';
import type { StepBase } from '../src/core/ingredients.ts';
import { formatPlatform } from '../src/core/platform.ts';
import { applyInstruction } from './instructions.ts';
import type { Candidate } from './remember.ts';
import {
  type BuiltStage,
  type StageScope,
  type StageSources,
  type StageState,
  stepId,
  stepName,
} from './state.ts';
import { withSettings } from './steps/config.ts';
import { continued, emptySnapshot, startingPoint } from './steps/from.ts';
import { stateOfFiles } from './steps/from-files.ts';
import { withGivenEnv } from './steps/given-env.ts';
import { reasonOf } from './steps/layer-step.ts';
import { namedImage } from './steps/named-image.ts';
import { afterReset } from './steps/reset.ts';
import type { Tools } from './tools.ts';

/** What a stage is built among. */
interface Where {
  readonly graph: StageGraph;
  readonly stages: StageSources;
  readonly obtainable: boolean;
}

/** Builds one stage: its base, then its instructions in order. Errors carry the instruction's place. */
export async function buildStage(graphStage: GraphStage, where: Where, tools: Tools): Promise<BuiltStage> {
  const base = await placed(graphStage.stage.from, () => startOf(graphStage, where, tools));
  const start = withGivenEnv(afterReset(base, graphStage.stage.from), tools.options.env);
  const triggers = await placed(graphStage.stage.from, async () => triggersOf(start, graphStage, where));
  const instructions = [...triggers, ...graphStage.stage.instructions];
  const scope = scopeOf(graphStage, instructions, { ...where, tools });
  let state: StageState = { ...start, candidates: start.candidates.map(withoutTriggers) };
  for (const instruction of instructions) {
    tools.signal.throwIfAborted();
    const where = triggers.includes(instruction) ? graphStage.stage.from : instruction;
    state = await placed(where, async () => {
      await stopWhereAsked(instruction, state, scope);
      return await applyInstruction(instruction, state, scope);
    });
  }
  return { snapshot: state.candidates[0]!.snapshot, state };
}

async function stopWhereAsked(instruction: Instruction, state: StageState, scope: StageScope): Promise<void> {
  const { graph, graphStage, tools } = scope;
  const { debug } = tools;
  if (debug === undefined) return;
  const place = { stage: graphStage.stage.index, instruction, platform: formatPlatform(graph.platform) };
  if (!debug.breaksBefore(place)) return;
  const { stopBefore } = await import('./debug/stop-before.ts');
  await stopBefore(instruction, state, { scope, debug });
  debug.pass(place);
}

/** Adds the place of an instruction to what fails in it; a full disk is no bug of ours. */
async function placed<T>(
  instruction: { readonly range: Instruction['range'] },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const failure = error instanceof BuildError ? error : writingFailed(error);
    throw failure?.at(instruction.range) ?? error;
  }
}

async function startOf(
  graphStage: GraphStage,
  { graph, stages, obtainable }: Where,
  tools: Tools,
): Promise<StageState> {
  const { base, platform } = graphStage;
  if (base.kind === 'stage') {
    const { state } = await stages.built(base.index, obtainable);
    return continued(state);
  }
  if (base.kind === 'scratch') return startingPoint(emptySnapshot(platform));
  return await shownImage({ graph, graphStage, obtainable }, base.reference, tools);
}

/** FROM an image or a named context, as a step that people see: a registry may be slow. */
async function shownImage(
  {
    graph,
    graphStage,
    obtainable,
  }: Pick<Where, 'graph' | 'obtainable'> & { readonly graphStage: GraphStage },
  reference: string,
  tools: Tools,
): Promise<StageState> {
  const { stage } = graphStage;
  const place = { graph, graphStage, steps: countSteps(stage.instructions), tools };
  const step = stepId(1, place);
  const name = `${stepName(1, place, [])} ${stage.from.source}`;
  tools.emit({ type: 'step-start', step, name, location: stage.from.range });
  try {
    const { state, local } = await outsideBase(reference, { graph, graphStage, obtainable, tools });
    const base = state.candidates[0]!.snapshot.layers.map(({ diffId }) => diffId);
    tools.emit({ type: 'step-end', step, outcome: local ? 'cached' : 'done', base });
    return state;
  } catch (error) {
    const outcome = tools.signal.aborted ? 'cancelled' : 'failed';
    tools.emit({ type: 'step-end', step, outcome, ...reasonOf(error) });
    throw error;
  }
}

/** What `--build-context` puts under the name, else the image. */
async function outsideBase(
  reference: string,
  scope: Pick<StageScope, 'graph' | 'graphStage' | 'obtainable' | 'tools'>,
): Promise<{ readonly state: StageState; readonly local: boolean }> {
  const { graphStage, obtainable, tools } = scope;
  const { platform, stage } = graphStage;
  const named = await tools.contexts.find(reference, platform);
  if (named?.kind === 'context') {
    const { state, local } = await stateOfFiles(
      named,
      { platform, obtainable, from: stage.from.source },
      tools,
    );
    return { state: withBase(state, { name: reference }), local };
  }
  if (named !== undefined)
    return { state: withBase(startingPoint(named.snapshot), { name: reference }), local: true };
  const { snapshot, local, digest, id } = await namedImage(reference, scope);
  const known = { name: reference, id, ...(digest && { digest }) };
  return { state: withBase(startingPoint(snapshot), known), local };
}

/** A state as FROM left it, and what that was. */
function withBase(state: StageState, known: Pick<StepBase, 'name' | 'digest' | 'id'>): StageState {
  const { layers } = state.candidates[0]!.snapshot;
  return { ...state, base: { ...known, layers: layers.length, variables: [...state.vars.keys()] } };
}

/** Triggers that the base left for whoever builds on it. Those of a stage are in the graph already. */
function triggersOf(start: StageState, { base, stage }: GraphStage, { graph, stages }: Where): Instruction[] {
  const triggers = start.candidates[0]!.snapshot.config.config?.OnBuild ?? [];
  if (base.kind === 'image' && triggers.length > 0) stages.learn(stage.index, triggers);
  return triggers.map((trigger) => parseTrigger(trigger, graph.containerfile.escape));
}

function withoutTriggers(candidate: Candidate): Candidate {
  return { ...candidate, snapshot: withSettings(candidate.snapshot, { OnBuild: undefined }) };
}

function scopeOf(
  graphStage: GraphStage,
  instructions: readonly Instruction[],
  where: Where & { readonly tools: Tools },
): StageScope {
  return { ...where, graphStage, instructions, steps: countSteps(instructions) };
}

/** FROM, and what makes layers. */
function countSteps(instructions: readonly Instruction[]): number {
  return 1 + instructions.filter(makesLayer).length;
}
