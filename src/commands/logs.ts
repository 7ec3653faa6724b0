import { existsSync, readFileSync } from 'node:fs';
import { BuildError } from '../core/errors.ts';
import type { BuildEvent } from '../core/events.ts';
import type { Builds, KeptBuild } from '../core/store.ts';
import { marksOf } from '../report/ci-marks.ts';
import { cleanLine } from '../report/clean.ts';
import { findBuild } from './find-build.ts';
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
  /** Absent where nothing was written. */
  readonly log?: string;
}

/** Prints what the steps of a build wrote, whole. Fails with `not-found`. */
export async function logs({ json, words }: LogsCommand, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const { build, step } = meant(parts.store.builds, words);
  const all = stepsOf(parts.store.builds.events(build.id));
  const chosen = step === undefined ? all : named(all, step);
  if (step !== undefined && chosen.length === 0) throw noStep(step, build, all);
  if (json) return here.print(`${JSON.stringify(chosen.map(withText), null, 2)}\n`);
  const marks = marksOf(here.env, Date.now);
  for (const one of chosen) {
    const text = textOf(one, chosen.length > 1);
    here.print(marks?.fit(text) ?? text);
  }
}

/** One word may be either: a build where there is one of this name, else a step of the last build. */
function meant(
  builds: Builds,
  [first, second]: readonly string[],
): { readonly build: KeptBuild; readonly step: string | undefined } {
  if (second !== undefined || first === undefined) return { build: findBuild(builds, first), step: second };
  const named = builds.find(first);
  return named === undefined
    ? { build: findBuild(builds, undefined), step: first }
    : { build: named, step: undefined };
}

function stepsOf(events: readonly BuildEvent[]): LoggedStep[] {
  const names = new Map<string, string>();
  const steps = new Map<string, LoggedStep>();
  for (const event of events) {
    if (event.type === 'step-start') names.set(event.step, event.name);
    if (event.type !== 'step-end') continue;
    const { step, outcome, log } = event;
    const kept = log !== undefined && existsSync(log) ? { log } : {};
    steps.set(step, { step, name: names.get(step) ?? step, outcome, ...kept });
  }
  return [...steps.values()];
}

/** By place as it is shown (`builder 2/4`), by id (`1/3`), or by a word of the place: stage, number, platform. */
function named(steps: readonly LoggedStep[], word: string): readonly LoggedStep[] {
  const placeOf = ({ name }: LoggedStep): string => /^\[([^\]]*)\]/.exec(name)?.[1] ?? '';
  const ways: ((step: LoggedStep) => boolean)[] = [
    (step) => placeOf(step) === word,
    ({ step }) => step === word,
    (step) => placeOf(step).split(' ').includes(word),
  ];
  return ways.map((is) => steps.filter(is)).find((found) => found.length > 0) ?? [];
}

function noStep(step: string, { id }: KeptBuild, all: readonly LoggedStep[]): BuildError {
  const known = all.map(({ step, name }) => `${step} ${cleanLine(name)}`);
  return new BuildError('not-found', `build ${id} has no step ${step}`, {
    hint:
      known.length === 0
        ? 'It came to no step.'
        : `Name one by its id, its place or its stage:\n  ${known.join('\n  ')}`,
  });
}

function withText(step: LoggedStep): object {
  return { ...step, text: step.log === undefined ? undefined : readFileSync(step.log, 'utf8') };
}

function textOf(step: LoggedStep, titled: boolean): string {
  const title = titled ? `== ${cleanLine(step.name)} (${step.outcome})\n` : '';
  if (step.log === undefined) return titled ? '' : `(${step.outcome}: nothing was written)\n`;
  const lines = readFileSync(step.log, 'utf8').replace(/\n$/, '').split('\n');
  return `${title}${lines.map((line) => cleanLine(line, { colour: true })).join('\n')}\n`;
}
