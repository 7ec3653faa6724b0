import { beginningOf } from '../../src/containerfile/heredoc.ts';
import { makesLayer } from '../../src/containerfile/layer-kinds.ts';
import type { Instruction } from '../../src/containerfile/types.ts';
import type { Digest } from '../../src/core/digest.ts';
import type { Ingredients, StepFacts } from '../../src/core/ingredients.ts';
import { hideLogins } from '../../src/core/logins.ts';
import { once } from '../../src/core/once.ts';
import { formatPlatform } from '../../src/core/platform.ts';
import type { MissedStep } from '../missed-step.ts';
import type { Learnt } from '../remember.ts';
import type { StageScope, StageState } from '../state.ts';
import { Masks } from './masks.ts';

/** By then a process of the step has been started, mostly. */
const STARTED_MS = 20;

/** A step as it is told of. */
interface ToldStep {
  readonly id: string;
  readonly name: string;
  readonly instruction: Instruction;
  readonly facts: StepFacts;
  /** Nothing was to be looked up. */
  readonly asked: boolean;
}

/** What the cache knows a step by, as events tell it. */
interface StepKeys {
  readonly key?: Digest;
  readonly contentKey?: Digest;
}

/** Keeps what a step's keys are made of, and has it explained where its result is not known. */
export class Learning {
  readonly #step: ToldStep;
  readonly #state: StageState;
  readonly #scope: StageScope;
  #noting: (() => Promise<void>) | undefined;
  keys: StepKeys = {};

  constructor(step: ToldStep, state: StageState, scope: StageScope) {
    this.#step = step;
    this.#state = state;
    this.#scope = scope;
  }

  /** Takes what was learnt. Of a step that has to be done, it is noted and explained while that goes on. */
  learn(learnt: Learnt): void {
    const { key, contentKey, cached } = learnt;
    this.keys = { key, ...(contentKey && { contentKey }) };
    const note = once(() => this.#note(learnt));
    if (cached) void note();
    else setTimeout(note, STARTED_MS);
    this.#noting = note;
  }

  /** Waits until all is noted, and the explanation told, where there is one. */
  async noted(): Promise<void> {
    await this.#noting?.();
  }

  async #note(learnt: Learnt): Promise<void> {
    const { store, emit, explain } = this.#scope.tools;
    const { key, lists, cached } = learnt;
    store.ingredients.put(key, this.#ingredientsOf(learnt), lists());
    if (cached) return;
    const explanation = await explain({ ...this.#missed(), ...this.keys, key });
    if (explanation !== undefined) emit({ type: 'explanation', step: this.#step.id, explanation });
  }

  #missed(): Pick<MissedStep, 'name' | 'stage' | 'at' | 'asked'> {
    const { graphStage, instructions } = this.#scope;
    const { name, instruction, asked } = this.#step;
    const steps = instructions.filter(makesLayer);
    const stage = {
      name: graphStage.stage.name ?? `stage-${graphStage.stage.index}`,
      platform: formatPlatform(graphStage.platform),
      texts: steps.map(textOf),
    };
    return { name, stage, at: steps.indexOf(instruction), asked };
  }

  #ingredientsOf({ below, first, content }: Learnt): Omit<Ingredients, 'tops'> {
    const { base, made, vars } = this.#state;
    const masks = new Masks(vars);
    return {
      below,
      ...(first !== undefined && { first: masks.hide(first) }),
      ...(content !== undefined && { content: masks.hide(content) }),
      ...(base !== undefined && { base }),
      made,
      facts: masks.hide({ ...this.#step.facts }) as StepFacts,
    };
  }
}

/** A step's text as the events of a build that was remembered tell it. */
function textOf(instruction: Instruction): string {
  const body = instruction.kind === 'run' ? beginningOf(instruction.command) : '';
  return hideLogins(instruction.source + body);
}
