import { BuildError } from '../core/errors.ts';
import type { Builds, KeptBuild } from '../core/remembered.ts';
import { cleanLine } from '../report/clean.ts';
import { findBuild } from './find-build.ts';

/** A step of a remembered build, by what people may call it. */
interface NamedStep {
  readonly step: string;
  readonly name: string;
}

/**
 * The build, and the step of it, that words name: one word may be either, a build where there is one of this name, else a
 * step of the last build. Fails with `not-found`.
 */
export function findBuildAndStep(
  builds: Builds,
  [first, second]: readonly string[],
): { readonly build: KeptBuild; readonly step: string | undefined } {
  if (second !== undefined || first === undefined) return { build: findBuild(builds, first), step: second };
  const named = builds.find(first);
  return named === undefined
    ? { build: findBuild(builds, undefined), step: first }
    : { build: named, step: undefined };
}

/**
 * The steps that a word names, all where there is none: by place as it is shown (`builder 2/4`), by id (`1/3`), or by a word of
 * the place: stage, number, platform. Fails with `not-found`.
 */
export function findSteps<Step extends NamedStep>(
  steps: readonly Step[],
  word: string | undefined,
  build: KeptBuild,
): readonly Step[] {
  if (word === undefined) return steps;
  const ways: ((step: Step) => boolean)[] = [
    (step) => placeOf(step) === word,
    ({ step }) => step === word,
    (step) => placeOf(step).split(' ').includes(word),
  ];
  const found = ways.map((is) => steps.filter(is)).find((found) => found.length > 0);
  if (found === undefined) throw noStep(word, build, steps);
  return found;
}

function placeOf({ name }: NamedStep): string {
  return /^\[([^\]]*)\]/.exec(name)?.[1] ?? '';
}

function noStep(step: string, { id }: KeptBuild, all: readonly NamedStep[]): BuildError {
  const known = all.map(({ step, name }) => `${step} ${cleanLine(name)}`);
  return new BuildError('not-found', `build ${id} has no step ${step}`, {
    hint:
      known.length === 0
        ? 'It came to no step.'
        : `Name one by its id, its place or its stage:\n  ${known.join('\n  ')}`,
  });
}
