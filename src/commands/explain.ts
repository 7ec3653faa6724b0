import type { BuildEvent, Explanation } from '../core/events.ts';
import { renderExplanations } from '../report/explain.ts';
import { findBuildAndStep, findSteps } from './find-step.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

export interface ExplainCommand {
  readonly json: boolean;
  /** A build, a step, or both; none is all of the last build. */
  readonly words: readonly string[];
  /** Of the screen; undefined where nothing is to be cut. */
  readonly columns: number | undefined;
}

interface Step {
  readonly step: string;
  readonly name: string;
  readonly outcome: string;
  /** Absent for a step that did not run. */
  readonly explanation?: Explanation;
}

/** Tells why the steps of a build ran. Fails with `not-found`. */
export async function explain({ json, words, columns }: ExplainCommand, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const { builds } = parts.store;
  const { build, step } = findBuildAndStep(builds, words);
  const steps = findSteps(stepsOf(builds.events(build.id)), step, build);
  here.print(json ? `${JSON.stringify(steps, null, 2)}\n` : textOf(steps, columns));
}

/** The steps that the cache can know, in the order in which they began. */
function stepsOf(events: readonly BuildEvent[]): Step[] {
  const steps = new Map<string, Step>();
  const add = (step: string, fields: Partial<Step>): void => {
    steps.set(step, { ...{ step, name: step, outcome: 'interrupted' }, ...steps.get(step), ...fields });
  };
  const known = new Set<string>();
  for (const event of events) {
    if (event.type === 'step-start') add(event.step, { name: event.name });
    if (event.type === 'step-end') add(event.step, { outcome: event.outcome });
    if (event.type === 'explanation') add(event.step, { explanation: event.explanation });
    if (event.type === 'explanation' || (event.type === 'step-end' && event.key)) known.add(event.step);
  }
  return [...steps.values()].filter(({ step }) => known.has(step));
}

function textOf(steps: readonly Step[], columns: number | undefined): string {
  const explained = steps.flatMap(({ name, explanation }) => (explanation ? [{ name, explanation }] : []));
  const cached = steps.filter(({ outcome }) => outcome === 'cached').length;
  return renderExplanations(explained, cached, columns);
}
