import { parseTrigger } from '../src/containerfile/parse.ts';
import type { GraphStage, Instruction, StageGraph } from '../src/containerfile/types.ts';
import { BuildError } from '../src/core/errors.ts';
import { applyInstruction } from './instructions.ts';
import type { Candidate } from './remember.ts';
import type { BuiltStage, StageScope, StageSources, StageState } from './state.ts';
import { withSettings } from './steps/config.ts';
import { emptySnapshot, startingPoint } from './steps/from.ts';
import type { Tools } from './tools.ts';

/** Builds one stage: its base, then its instructions in order. Errors carry the instruction's place. */
export async function buildStage(
  graphStage: GraphStage,
  where: { readonly graph: StageGraph; readonly stages: StageSources; readonly obtainable: boolean },
  tools: Tools,
): Promise<BuiltStage> {
  const start = await placed(graphStage.stage.from, () => startOf(graphStage, where, tools));
  const triggers = triggersOf(start, where.graph);
  const instructions = [...triggers, ...graphStage.stage.instructions];
  const scope = scopeOf(graphStage, instructions, { ...where, tools });
  let state: StageState = { ...start, candidates: start.candidates.map(withoutTriggers) };
  for (const instruction of instructions) {
    tools.signal.throwIfAborted();
    state = await placed(instruction, () => applyInstruction(instruction, state, scope));
  }
  return { snapshot: state.candidates[0]!.snapshot, state };
}

/** Adds the place of an instruction to what fails in it. */
async function placed<T>(
  instruction: { readonly range: Instruction['range'] },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof BuildError ? error.at(instruction.range) : error;
  }
}

async function startOf(
  { base, platform }: GraphStage,
  { stages, obtainable }: { readonly stages: StageSources; readonly obtainable: boolean },
  tools: Tools,
): Promise<StageState> {
  if (base.kind === 'stage') {
    const { state } = await stages.built(base.index, obtainable);
    return { ...state, cmdSet: false, step: 1 };
  }
  const image =
    base.kind === 'scratch' ? emptySnapshot(platform) : await tools.image(base.reference, platform);
  return startingPoint(image, platform);
}

/** Triggers that the base image left for whoever builds on it. */
function triggersOf(start: StageState, graph: StageGraph): Instruction[] {
  const triggers = start.candidates[0]!.snapshot.config.config?.OnBuild ?? [];
  return triggers.map((trigger) => parseTrigger(trigger, graph.escape));
}

function withoutTriggers(candidate: Candidate): Candidate {
  return { ...candidate, snapshot: withSettings(candidate.snapshot, { OnBuild: undefined }) };
}

function scopeOf(
  graphStage: GraphStage,
  instructions: readonly Instruction[],
  where: {
    readonly graph: StageGraph;
    readonly stages: StageSources;
    readonly obtainable: boolean;
    readonly tools: Tools;
  },
): StageScope {
  const shown = instructions.filter(({ kind }) => ['run', 'copy', 'add', 'workdir'].includes(kind));
  const { stage } = graphStage;
  const only = where.graph.stages.length === 1 && stage.name === undefined;
  const label = only ? undefined : (stage.name ?? `stage-${stage.index}`);
  return { ...where, graphStage, steps: shown.length + 1, label };
}
