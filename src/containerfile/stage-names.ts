import { BuildError } from '../core/errors.ts';
import { contextName } from './context-names.ts';
import type { Stage, Word } from './types.ts';
import { scanned } from './work.ts';

/** The stages of a file by their names, which know no case. */
export interface StageNames {
  /** The last stage of that name. */
  last(name: string): number | undefined;
  /** The last stage of that name above the stage `index`. */
  above(name: string, index: number): number | undefined;
}

export function stageNames(stages: readonly Stage[]): StageNames {
  const byName = new Map<string, number[]>();
  for (const { name, index } of stages) {
    if (name === undefined) continue;
    const same = byName.get(name);
    if (same === undefined) byName.set(name, [index]);
    else same.push(index);
  }
  const named = (name: string): readonly number[] => {
    scanned(name.length);
    return byName.get(name.toLowerCase()) ?? [];
  };
  return {
    last: (name) => named(name).at(-1),
    above: (name, index) => lastBelow(named(name), index),
  };
}

/**
 * The stage that a `--from` names: by name without regard to case, of two the last, or by its number in the file.
 * Undefined for a name that is no stage (an image, or a named context, which comes before a stage). A number that no
 * stage has fails with `parse`.
 */
export function stageOf(
  stages: readonly Stage[],
  from: Word,
  { names, contexts }: { readonly names: StageNames; readonly contexts: ReadonlySet<string> },
): number | undefined {
  if (contexts.has(contextName(from.text))) return undefined;
  if (!/^\d+$/.test(from.text)) return names.last(from.text);
  if (Number(from.text) < stages.length) return Number(from.text);
  throw new BuildError('parse', `there is no stage ${from.text}`, {
    location: from.range,
    hint: `Stages are numbered from 0; the file has ${stages.length}.`,
  });
}

/** The greatest of ascending numbers that is less than `limit`. */
function lastBelow(ascending: readonly number[], limit: number): number | undefined {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    scanned(1);
    if (ascending[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return ascending[low - 1];
}
