import { BuildError } from '../core/errors.ts';
import { contextName } from './context-names.ts';
import type { Stage, Word } from './types.ts';

/**
 * The stage that a `--from` names: by name without regard to case, of two the last, or by its number in the file.
 * Undefined for a name that is no stage (an image, or a named context, which comes before a stage). A number that no
 * stage has fails with `parse`.
 */
export function stageOf(
  stages: readonly Stage[],
  from: Word,
  contexts: ReadonlySet<string> = new Set(),
): number | undefined {
  const name = from.text.toLowerCase();
  if (contexts.has(contextName(name))) return undefined;
  if (/^\d+$/.test(name)) {
    if (Number(name) < stages.length) return Number(name);
    throw new BuildError('parse', `there is no stage ${from.text}`, {
      location: from.range,
      hint: `Stages are numbered from 0; the file has ${stages.length}.`,
    });
  }
  return stages.filter((stage) => stage.name === name).at(-1)?.index;
}
