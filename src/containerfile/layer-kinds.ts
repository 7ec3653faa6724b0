import type { Instruction } from './types.ts';

const kinds: readonly Instruction['kind'][] = ['run', 'copy', 'add', 'workdir'];

/** Whether an instruction makes a layer: those, and FROM, are the steps that people see. */
export function makesLayer({ kind }: Instruction): boolean {
  return kinds.includes(kind);
}
