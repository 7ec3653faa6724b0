import type { MissedStep } from '../missed-step.ts';
import { countEqual, counterparts } from './counterparts.ts';
import type { PastStage, PastStep } from './past-builds.ts';

/** The step of a past build that a step is; undefined where it is a new one. */
export function sameStep(
  stages: readonly PastStage[],
  { stage, at }: Pick<MissedStep, 'stage' | 'at'>,
): PastStep | undefined {
  const past = nearest(stages, stage);
  const place = counterparts(textsOf(past), stage.texts)[at];
  return place === undefined ? undefined : past?.steps[place];
}

/** The stage of the same name, else the one with most steps in common; for the same platform where there is one. */
function nearest(stages: readonly PastStage[], now: MissedStep['stage']): PastStage | undefined {
  const rated = stages.map((stage) => ({ stage, rate: likeness(stage, now) }));
  return rated.filter(({ rate }) => rate > 1).sort((a, b) => b.rate - a.rate)[0]?.stage;
}

function likeness({ name, platform, steps }: PastStage, now: MissedStep['stage']): number {
  const equal = countEqual(textsOf({ steps }), now.texts);
  const named = name !== now.name ? 0 : /^stage-\d+$/.test(name) ? 2 : 1000;
  return equal * 3 + named + (platform === now.platform ? 0.5 : 0);
}

function textsOf(stage: Pick<PastStage, 'steps'> | undefined): string[] {
  return stage?.steps.map((step) => step?.text ?? '') ?? [];
}
