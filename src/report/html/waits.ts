import type { StageShape } from '../../core/events.ts';
import type { StepReport } from './report-data.ts';
import type { Story } from './story.ts';

/** Time in which a stage had nothing to do. */
export interface Wait {
  readonly startedAt: number;
  readonly endedAt: number;
  /** The step that came next. */
  readonly step: string;
  /** The stage that it was for; absent where none of those it reads ended in that time. */
  readonly on?: StageShape;
}

/** A gap that is shorter goes into bookkeeping and shows nothing. */
const shortestMs = 3;

/** What each stage waited for, in the order of its steps. */
export function waitsOf({ stages, steps }: Pick<Story, 'stages' | 'steps'>): Wait[] {
  return stages.flatMap((stage) => {
    const own = stepsOfStage(steps, stage);
    const needed = stages.filter(({ id }) => stage.needs.includes(id));
    return own.flatMap((step, i) => {
      const startedAt = Math.max(0, ...own.slice(0, i).map((before) => before.endedAt));
      if (step.startedAt - startedAt < shortestMs) return [];
      const on = lastEnded(needed, steps, { from: startedAt, to: step.startedAt });
      // What goes before the first step of a stage that reads no other is the start of the build.
      if (on === undefined && i === 0) return [];
      return [{ startedAt, endedAt: step.startedAt, step: step.id, ...(on && { on }) }];
    });
  });
}

/**
 * The steps that the build's time hung on, in their order: back from the last one to end, over the step before it in its
 * stage or the stage that it waited for, whichever ended later.
 */
export function longestChain(story: Pick<Story, 'stages' | 'steps'>): StepReport[] {
  const waits = new Map(waitsOf(story).map((wait) => [wait.step, wait]));
  const chain: StepReport[] = [];
  let step = lastOf(story.steps);
  while (step !== undefined && !chain.includes(step)) {
    chain.unshift(step);
    const { stage, startedAt } = step;
    const from = waits.get(step.id)?.on?.id ?? stage;
    const before = story.steps.filter((one) => one.stage === from && one.endedAt <= startedAt + 1);
    step = lastOf(before.filter((one) => !chain.includes(one)));
    if (step === undefined) step = baseEnd(story, chain[0]!);
  }
  return chain;
}

export function stepsOfStage(steps: readonly StepReport[], { id }: StageShape): StepReport[] {
  return steps.filter(({ stage }) => stage === id);
}

/** The end of what the stage of a step without a step before it begins with. */
function baseEnd(
  { stages, steps }: Pick<Story, 'stages' | 'steps'>,
  first: StepReport,
): StepReport | undefined {
  const needs = stages.find(({ id }) => id === first.stage)?.needs ?? [];
  return lastOf(steps.filter((one) => needs.includes(one.stage) && one.endedAt <= first.startedAt + 1));
}

function lastEnded(
  stages: readonly StageShape[],
  steps: readonly StepReport[],
  { from, to }: { readonly from: number; readonly to: number },
): StageShape | undefined {
  const ends = stages.map((stage) => ({ stage, end: lastOf(stepsOfStage(steps, stage))?.endedAt ?? -1 }));
  const within = ends.filter(({ end }) => end > from && end <= to + 1);
  return within.sort((a, b) => b.end - a.end)[0]?.stage;
}

function lastOf(steps: readonly StepReport[]): StepReport | undefined {
  return steps.reduce<StepReport | undefined>(
    (last, step) => (last === undefined || step.endedAt >= last.endedAt ? step : last),
    undefined,
  );
}
