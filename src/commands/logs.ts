import { existsSync, readFileSync } from 'node:fs';
import type { Builds, KeptBuild } from '../core/remembered.ts';
import { asText } from '../report/ci-marks.ts';
import { cleanLine } from '../report/clean.ts';
import { findBuildAndStep, findSteps } from './find-step.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

export interface LogsCommand {
  readonly json: boolean;
  /** A build, a step, or both; none is all of the last build. */
  readonly words: readonly string[];
}

interface LoggedStep {
  readonly step: string;
  readonly name: string;
  readonly outcome: string;
  readonly diffId?: string;
  /** Absent where nothing was written. */
  readonly log?: string;
  /** The earlier build that made what this one took from the cache; the log is that one's. */
  readonly from?: string;
}

/** Prints what the steps of a build wrote, whole. Fails with `not-found`. */
export async function logs({ json, words }: LogsCommand, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const { build, step } = findBuildAndStep(parts.store.builds, words);
  const chosen = findSteps(stepsOf(parts.store.builds, build.id), step, build);
  const found = chosen.map((one) =>
    one.outcome === 'cached' ? whenMade(one, build, parts.store.builds) : one,
  );
  if (json) return here.print(`${JSON.stringify(found.map(withText), null, 2)}\n`);
  for (const one of found) here.print(asText(textOf(one, found.length > 1), here.env));
}

function stepsOf(builds: Builds, id: string): LoggedStep[] {
  const names = new Map<string, string>();
  const steps = new Map<string, LoggedStep>();
  for (const event of builds.events(id)) {
    if (event.type === 'step-start') names.set(event.step, event.name);
    if (event.type !== 'step-end') continue;
    const { step, outcome, log, diffId } = event;
    const kept = log !== undefined && existsSync(log) ? { log } : {};
    const layer = diffId === undefined ? {} : { diffId };
    steps.set(step, { step, name: names.get(step) ?? step, outcome, ...layer, ...kept });
  }
  return [...steps.values()];
}

/** A step that was taken from the cache, with the log of the build that made it, where that is still remembered. */
function whenMade(step: LoggedStep, build: KeptBuild, builds: Builds): LoggedStep {
  if (step.diffId === undefined) return step;
  for (const { id } of builds.list().filter(({ id }) => id < build.id)) {
    const made = stepsOf(builds, id).find(({ diffId, log }) => diffId === step.diffId && log !== undefined);
    if (made?.log !== undefined) return { ...step, log: made.log, from: id };
  }
  return step;
}

function withText(step: LoggedStep): object {
  return { ...step, text: step.log === undefined ? undefined : readFileSync(step.log, 'utf8') };
}

function textOf(step: LoggedStep, titled: boolean): string {
  const from = step.from === undefined ? '' : `, from build ${step.from}`;
  const title = titled ? `== ${cleanLine(step.name)} (${step.outcome}${from})\n` : '';
  if (step.log === undefined) return titled ? '' : `(${step.outcome}: nothing was written)\n`;
  const lines = readFileSync(step.log, 'utf8').replace(/\n$/, '').split('\n');
  return `${title}${lines.map((line) => cleanLine(line, { colour: true })).join('\n')}\n`;
}
