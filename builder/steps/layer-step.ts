import { existsSync } from 'node:fs';
import type { Instruction } from '../../src/containerfile/types.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { StepFacts } from '../../src/core/ingredients.ts';
import { hideLogins } from '../../src/core/logins.ts';
import { LostLayer, type Recallable, type RecallPolicy, type Remembered, remember } from '../remember.ts';
import { type StageScope, type StageState, stepId, stepName } from '../state.ts';
import { withComment, withHistory } from './config.ts';
import { Learning } from './learning.ts';

/** A step that makes a layer: how the cache knows it, and its line of history. */
export interface LayerStep extends Recallable {
  readonly history: string;
  /** The instruction as people see it, where that is not its text. */
  readonly shown?: string;
  /** Where the step's output is kept, once it has run. */
  readonly log?: string;
  /** What people know of it, for explanations. */
  readonly facts: StepFacts;
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
  const text = step.shown ?? instruction.source;
  const name = hideLogins(`${stepName(state.step + 1, scope, state.args)} ${text}`);
  emit({ type: 'step-start', step: id, name, location: instruction.range });
  const lookUp = step.steady === true || !isMadeAgain(scope);
  const learning = new Learning({ id, name, instruction, facts: step.facts, asked: !lookUp }, state, scope);
  try {
    const learn: RecallPolicy['learn'] = (learnt) => learning.learn(learnt);
    const policy = { lookUp, obtainable: scope.obtainable, learn };
    const remembered = await remember(state.candidates, step, policy, scope.tools);
    await learning.noted();
    emit({ type: 'step-end', step: id, ...endOf(remembered, step, scope) });
    const made = [...state.made, name];
    return { ...state, step: state.step + 1, made, candidates: withLine(remembered, step.history) };
  } catch (error) {
    await learning.noted();
    const givenUp = scope.tools.signal.aborted || error instanceof LostLayer;
    const outcome = givenUp ? 'cancelled' : 'failed';
    const log = step.log !== undefined && existsSync(step.log) ? { log: step.log } : {};
    const why = givenUp ? {} : reasonOf(error);
    emit({ type: 'step-end', step: id, outcome, ...learning.keys, ...why, ...log });
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

function endOf({ cached, candidates, layer }: Remembered, step: LayerStep, { tools }: StageScope) {
  const bytes = tools.store.layers.tarSize(layer);
  const { key, result } = candidates[0]!.taken.at(-1)!;
  return {
    outcome: cached ? ('cached' as const) : ('done' as const),
    diffId: layer.diffId,
    key,
    ...(result.contentKey !== undefined && { contentKey: result.contentKey }),
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
