import { existsSync } from 'node:fs';
import type { Instruction } from '../../src/containerfile/types.ts';
import { BuildError } from '../../src/core/errors.ts';
import { LostLayer, type Recallable, type Remembered, remember } from '../remember.ts';
import { type StageScope, type StageState, stepId, stepName } from '../state.ts';
import { withComment, withHistory } from './config.ts';

/** A step that makes a layer: how the cache knows it, and its line of history. */
export interface LayerStep extends Recallable {
  readonly history: string;
  /** The instruction as people see it, where that is not its text. */
  readonly shown?: string;
  /** Where the step's output is kept, once it has run. */
  readonly log?: string;
  /** Nothing outside of the image can change what it does: `--no-cache` is not for it. */
  readonly steady?: boolean;
}

/** Recalls or runs a step on top of the state, and tells about it. */
export async function applyLayerStep(
  instruction: Instruction,
  state: StageState,
  scope: StageScope,
  step: LayerStep,
): Promise<StageState> {
  const id = stepId(state.step + 1, scope);
  const { emit } = scope.tools;
  const name = `${stepName(state.step + 1, scope, state.args)} ${step.shown ?? instruction.source}`;
  emit({ type: 'step-start', step: id, name, location: instruction.range });
  try {
    const policy = { lookUp: step.steady === true || !isMadeAgain(scope), obtainable: scope.obtainable };
    const remembered = await remember(state.candidates, step, policy, scope.tools);
    emit({ type: 'step-end', step: id, ...endOf(remembered, step, scope) });
    return { ...state, step: state.step + 1, candidates: withLine(remembered, step.history) };
  } catch (error) {
    const givenUp = scope.tools.signal.aborted || error instanceof LostLayer;
    const outcome = givenUp ? 'cancelled' : 'failed';
    const log = step.log !== undefined && existsSync(step.log) ? { log: step.log } : {};
    emit({ type: 'step-end', step: id, outcome, ...(!givenUp && reasonOf(error)), ...log });
    throw error;
  }
}

/** What the history of an image says of a step whose command failed. */
const BY_HAND = 'its command failed, and the build went on with its files as somebody left them';

/** What a step that failed tells of why. */
export function reasonOf(error: unknown): { readonly error?: string } {
  return error instanceof BuildError ? { error: error.message } : {};
}

/** Whether the stage's steps are made again: `--no-cache`, and `--no-cache-filter` with the stage's name or number. */
export function isMadeAgain({ tools, graphStage }: StageScope): boolean {
  const { noCache } = tools.options;
  const { name, index } = graphStage.stage;
  if (typeof noCache === 'boolean') return noCache;
  return noCache.some((wanted) => wanted.toLowerCase() === name || wanted === String(index));
}

function endOf({ cached, layer }: Remembered, step: LayerStep, { tools }: StageScope) {
  const bytes = tools.store.layers.tarSize(layer);
  return {
    outcome: cached ? ('cached' as const) : ('done' as const),
    diffId: layer.diffId,
    ...(bytes !== undefined && { bytes }),
    ...(!cached && step.log !== undefined && { log: step.log }),
  };
}

function withLine({ candidates, layer }: Remembered, history: string): StageState['candidates'] {
  return candidates.map((candidate) => {
    const snapshot = withHistory(candidate.snapshot, history, false);
    return { ...candidate, snapshot: layer.byHand ? withComment(snapshot, BY_HAND) : snapshot };
  });
}
