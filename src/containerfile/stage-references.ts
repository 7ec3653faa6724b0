import { parseTrigger } from './parse.ts';
import type { Instruction, Stage, Word } from './types.ts';

/** Values of `--from` and `--mount=…,from=` of a stage's own instructions. */
export function sourcesOfStage({ instructions }: Stage): Word[] {
  return instructions.flatMap(sourcesOf);
}

/** The same of ONBUILD triggers; their words have places in the trigger's own text. */
export function sourcesOfTriggers(triggers: readonly string[], escapeWith: '\\' | '`'): Word[] {
  return triggers.flatMap((trigger) => sourcesOf(parseTrigger(trigger, escapeWith)));
}

/** The triggers that a stage leaves for the stages that start from it. */
export function triggersOfStage({ instructions }: Stage): string[] {
  return instructions.flatMap((one) => (one.kind === 'onbuild' ? [one.trigger] : []));
}

function sourcesOf(instruction: Instruction): Word[] {
  if (instruction.kind === 'copy') return instruction.from === undefined ? [] : [instruction.from];
  if (instruction.kind !== 'run') return [];
  return instruction.mounts.flatMap(({ options, word }) => {
    const from = options.find(({ key }) => key === 'from')?.value;
    return from ? [{ text: from, range: word.range }] : [];
  });
}
