import { parseTrigger } from './parse.ts';
import type { Instruction, Stage, Word } from './types.ts';

/** Values of `--from` and `--mount=…,from=` of a stage's own instructions. */
export function sourcesOfStage({ instructions }: Stage): Word[] {
  return sourcesOf(instructions);
}

/** The same of ONBUILD triggers; their words have places in the trigger's own text. */
export function sourcesOfTriggers(triggers: readonly string[], escapeWith: '\\' | '`'): Word[] {
  return sourcesOf(triggers.map((trigger) => parseTrigger(trigger, escapeWith)));
}

/** The triggers that a stage leaves for the stages that start from it. */
export function triggersOfStage({ instructions }: Stage): string[] {
  return instructions.flatMap((one) => (one.kind === 'onbuild' ? [one.trigger] : []));
}

function sourcesOf(instructions: readonly Instruction[]): Word[] {
  const found: Word[] = [];
  for (const one of instructions) {
    if (one.kind === 'copy' && one.from !== undefined) found.push(one.from);
    if (one.kind !== 'run') continue;
    for (const { options, word } of one.mounts) {
      const from = options.find(({ key }) => key === 'from')?.value;
      if (from) found.push({ text: from, range: word.range });
    }
  }
  return found;
}
