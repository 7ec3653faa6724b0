import type { GraphStage, Instruction, StageGraph } from '../containerfile/types.ts';
import { suggestion, usageError } from '../core/errors.ts';

/** A build stops before the instruction that begins at this line of the stage. */
export interface Breakpoint {
  /** Index of the stage. */
  readonly stage: number;
  readonly file: string;
  readonly line: number;
}

/** What `--break STAGE[:LINE]` means in these graphs. Fails with `usage` on what is not there, and names what is near. */
export function breakpointsOf(words: readonly string[], graphs: readonly StageGraph[]): Breakpoint[] {
  const stages = graphs.flatMap((graph) => graph.stages);
  return words.map((word) => {
    const [, name = '', line] = /^(.*?)(?::(\d+))?$/s.exec(word)!;
    const { stage } = stageNamed(name, stages, word);
    const instruction =
      line === undefined
        ? firstOf(stage.instructions, word)
        : instructionAt(stage.instructions, Number(line), word);
    const { file, startLine } = instruction.range;
    return { stage: stage.index, file, line: startLine };
  });
}

function stageNamed(name: string, stages: readonly GraphStage[], word: string): GraphStage {
  const wanted = name.toLowerCase();
  const found = stages.find(({ stage }) => stage.name === wanted || String(stage.index) === wanted);
  if (found !== undefined) return found;
  const names = [...new Set(stages.map(({ stage }) => stage.name ?? String(stage.index)))];
  throw usageError(
    `--break ${word}: this build has no stage ${name}`,
    suggestion(name, names) ?? `Its stages are ${names.join(', ')}.`,
  );
}

function firstOf(instructions: readonly Instruction[], word: string): Instruction {
  const [first] = instructions;
  if (first === undefined) throw usageError(`--break ${word}: the stage has no instruction to stop before`);
  return first;
}

/** A line within a long instruction means that instruction. */
function instructionAt(instructions: readonly Instruction[], line: number, word: string): Instruction {
  const found = instructions.find(({ range }) => range.startLine <= line && line <= range.endLine);
  if (found !== undefined) return found;
  const distance = ({ range }: Instruction): number =>
    Math.min(Math.abs(range.startLine - line), Math.abs(range.endLine - line));
  const near = [...instructions].sort((a, b) => distance(a) - distance(b))[0];
  throw usageError(
    `--break ${word}: no instruction of the stage stands in line ${line}`,
    near && `The nearest is ${near.keyword.text} in line ${near.range.startLine}.`,
  );
}
