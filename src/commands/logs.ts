import { existsSync, readFileSync } from 'node:fs';
import { BuildError } from '../core/errors.ts';
import type { Builds, KeptBuild } from '../core/store.ts';
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
  readonly diffId?: string;
  /** Absent where nothing was written. */
  readonly log?: string;
  /** The earlier build that made what this one took from the cache; the log is that one's. */
  readonly from?: string;
}

/** Prints what the steps of a build wrote, whole. Fails with `not-found`. */
export async function logs({ json, words }: LogsCommand, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const { build, step } = meant(parts.store.builds, words);
  const all = stepsOf(parts.store.builds, build.id);
  const chosen = step === undefined ? all : named(all, step);
  if (step !== undefined && chosen.length === 0) throw noStep(step, build, all);
  const found = chosen.map((one) =>
    one.outcome === 'cached' ? whenMade(one, build, parts.store.builds) : one,
  );
  if (json) return here.print(`${JSON.stringify(found.map(withText), null, 2)}\n`);
  for (const one of found) here.print(textOf(one, found.length > 1));
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
  const from = step.from === undefined ? '' : `, from build ${step.from}`;
  const title = titled ? `== ${cleanLine(step.name)} (${step.outcome}${from})\n` : '';
  if (step.log === undefined) return titled ? '' : `(${step.outcome}: nothing was written)\n`;
  const lines = readFileSync(step.log, 'utf8').replace(/\n$/, '').split('\n');
  return `${title}${lines.map((line) => cleanLine(line, { colour: true })).join('\n')}\n`;
}
