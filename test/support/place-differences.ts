import { readFileSync } from 'node:fs';
import { compareImages } from './layers.ts';
import { type PlaceResult, type Target, targets } from './place-build.ts';

/** How images may differ from those of real root, and why. */
export interface Difference {
  readonly reason: string;
  /** Regular expressions over the lines of `compareImages(root's, the place's)`. */
  readonly lines: readonly string[];
  /** The only target in which it is; without it, any. */
  readonly target?: Target;
  /** The places that differ so, where they build it; the others must not. Without it, any may. */
  readonly only?: readonly string[];
  /** Two images may happen to be the same in this. */
  readonly sometimes?: boolean;
}

/** A line of `compareImages`, and the target whose images it tells apart. */
export interface Found {
  readonly target: Target;
  readonly line: string;
}

/** testdata/places/differences.json. */
export function readDifferences(): readonly Difference[] {
  return JSON.parse(readFileSync('testdata/places/differences.json', 'utf8')) as Difference[];
}

/** How the images of a place differ from those of the first; what one of both could not build is left out. */
export function foundBetween(first: PlaceResult, second: PlaceResult): Found[] {
  return targets
    .filter((target) => first.codes[target] === 0 && second.codes[target] === 0)
    .flatMap((target) =>
      compareImages(first.layout(target), second.layout(target)).map((line) => ({ target, line })),
    );
}

/** What is found in a place and not listed. */
export function unlisted(found: readonly Found[], place: string, listed: readonly Difference[]): Found[] {
  const here = listed.filter(({ only }) => only?.includes(place) ?? true);
  return found.filter((one) => !here.some((difference) => holds(difference, one)));
}

/** The lines that are listed and found nowhere, though a place builds what they are about. */
export function stale(places: ReadonlyMap<string, Built>, listed: readonly Difference[]): string[] {
  return listed.filter(({ sometimes }) => sometimes !== true).flatMap((one) => staleIn(one, places));
}

/** What a place has built, and how it differs. */
export interface Built {
  readonly targets: readonly Target[];
  readonly found: readonly Found[];
}

function staleIn(difference: Difference, places: ReadonlyMap<string, Built>): string[] {
  const { lines, only, target = 'people' } = difference;
  const building = [...places].filter(([, built]) => built.targets.includes(target));
  const groups = only
    ? building.filter(([name]) => only.includes(name)).map(([name, { found }]) => ({ name, found }))
    : building.length === 0
      ? []
      : [{ name: 'anywhere', found: building.flatMap(([, { found }]) => found) }];
  return groups.flatMap(({ name, found }) =>
    lines
      .filter((line) => !found.some((one) => holds({ ...difference, lines: [line] }, one)))
      .map((line) => `${name}: ${line}`),
  );
}

function holds({ lines, target }: Difference, found: Found): boolean {
  return (target ?? found.target) === found.target && lines.some((line) => new RegExp(line).test(found.line));
}
