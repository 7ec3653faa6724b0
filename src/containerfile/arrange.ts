import { BuildError } from '../core/errors.ts';
import { isBefore } from './source-order.ts';
import type { ArgInstruction, FromInstruction, Instruction, Stage } from './types.ts';

type Found = Instruction | FromInstruction;

/**
 * Puts instructions into the stages that their FROMs begin. Errors: an instruction before the first FROM, unless
 * something above it is wrong anyway (it may be the FROM), and a file of ARGs alone.
 */
export function arrange(
  found: readonly Found[],
  known: readonly BuildError[],
): { readonly globals: ArgInstruction[]; readonly stages: Stage[]; readonly errors: BuildError[] } {
  const globals: ArgInstruction[] = [];
  const stages: { index: number; name?: string; from: FromInstruction; instructions: Instruction[] }[] = [];
  const errors: BuildError[] = [];
  let misplaced = false;
  for (const instruction of found) {
    const stage = stages.at(-1);
    if (instruction.kind === 'from') {
      const named = instruction.name === undefined ? {} : { name: instruction.name };
      stages.push({ index: stages.length, ...named, from: instruction, instructions: [] });
    } else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === 'arg') globals.push(instruction);
    else if (!misplaced) {
      misplaced = true;
      if (!hasErrorAbove(known, instruction)) errors.push(beforeFrom(instruction));
    }
  }
  const last = found.at(-1);
  if (stages.length === 0 && last?.kind === 'arg' && known.length === 0 && errors.length === 0) {
    errors.push(noStage(last));
  }
  return { globals, stages, errors };
}

function hasErrorAbove(errors: readonly BuildError[], { range }: Instruction): boolean {
  return errors.some(({ location }) => location !== undefined && isBefore(location, range));
}

function noStage({ range }: Found): BuildError {
  const hint = 'Add FROM image below the ARGs.';
  return new BuildError('parse', 'no build stage: FROM is missing', { location: range, hint });
}

function beforeFrom(instruction: Instruction): BuildError {
  const keyword = /^\S*/.exec(instruction.source)![0].toUpperCase();
  const message = `no build stage in current context: ${keyword} stands before the first FROM`;
  return new BuildError('parse', message, {
    location: instruction.range,
    hint: 'Begin the file with FROM image; only ARG may come before it.',
  });
}
