import { BuildError, type SourceRange } from '../core/errors.ts';
import { readDirectives } from './directives.ts';
import { type PlacedHeredoc, readHeredocs } from './heredoc.ts';
import { checkTrigger, instructionOf } from './instructions.ts';
import {
  isComment,
  type LogicalLine,
  lineRange,
  logicalLine,
  rangeOf,
  type SourceText,
  sourceText,
} from './lines.ts';
import { isJsonForm, type Statement, takeApart } from './statement.ts';
import type {
  ArgInstruction,
  Containerfile,
  Extension,
  FromInstruction,
  Instruction,
  Stage,
  Warning,
} from './types.ts';

/** All that can be said of a file at once; `containerfile` is there only without errors. */
export interface Parsed {
  readonly containerfile?: Containerfile;
  /** Each with its location, in the order of the file. */
  readonly errors: readonly BuildError[];
}

/** Parses a Containerfile (§1). Fails with the first error (`parse`), with its lines and columns and a hint. */
export function parse(text: string, file: string): Containerfile {
  const { containerfile, errors } = parseAll(text, file);
  if (containerfile === undefined) throw errors[0]!;
  return containerfile;
}

/** Parses a Containerfile and goes on after an error, so that all of them are known at once. */
export function parseAll(text: string, file: string): Parsed {
  const source = sourceText(text, file);
  const errors: BuildError[] = [];
  const head = attempt(errors, () => readDirectives(source));
  if (head === undefined) return { errors };
  const reading = { source, escape: head.escape, errors, warnings: [...head.warnings] };
  const found = readAll(reading, head.next);
  const { globals, stages } = arrange(reading, found);
  const { syntax } = head;
  if (errors.length === 0 && found.length === 0) errors.push(noInstructions(source));
  if (errors.length > 0) return { errors };
  const { warnings } = reading;
  const whole = {
    file,
    text: source.text,
    escape: head.escape,
    extensions: new Set<Extension>(),
    globals,
    stages,
    warnings,
  };
  return { containerfile: { ...whole, ...(syntax !== undefined && { syntax }) }, errors };
}

/**
 * Parses one ONBUILD trigger of an image into the instruction it stands for. Its ranges are those of the trigger's own
 * text. Fails for what no trigger may be.
 */
export function parseTrigger(text: string, escapeWith: '\\' | '`'): Instruction {
  const source = sourceText(text, 'ONBUILD trigger');
  const line = logicalLine(source, 0, escapeWith);
  const { statement, next } = readStatement({ source, escape: escapeWith }, line, []);
  checkTrigger(statement);
  const more = source.lines.slice(next).some((other) => other.trim() !== '');
  const instruction = more || isComment(text) || text.trim() === '' ? undefined : instructionOf(statement);
  if (instruction !== undefined && instruction.kind !== 'from') return instruction;
  throw new BuildError('parse', 'an ONBUILD trigger must be exactly one instruction', {
    location: statement.range,
  });
}

interface Reading {
  readonly source: SourceText;
  readonly escape: '\\' | '`';
  readonly errors: BuildError[];
  readonly warnings: Warning[];
}

function readAll(reading: Reading, from: number): (Instruction | FromInstruction)[] {
  const found: (Instruction | FromInstruction)[] = [];
  let comments: string[] = [];
  for (let at = from; at < reading.source.lines.length; ) {
    const line = reading.source.lines[at]!;
    if (isComment(line)) {
      comments.push(line.trim().slice(1).trim());
      at++;
    } else if (line.trim() === '') {
      comments = [];
      at++;
    } else {
      const { instruction, next } = readOne(reading, at, comments);
      if (instruction !== undefined) found.push(instruction);
      comments = [];
      at = next;
    }
  }
  return found;
}

/** One instruction; after an error reading goes on below it, but not after a heredoc without an end. */
function readOne(
  reading: Reading,
  at: number,
  comments: readonly string[],
): { instruction: Instruction | FromInstruction | undefined; next: number } {
  const { source, errors } = reading;
  const line = attempt(errors, () => logicalLine(source, at, reading.escape));
  if (line === undefined) return { instruction: undefined, next: at + 1 };
  warnOfEmptyLines(reading, line);
  if (line.text.trim() === '') return { instruction: undefined, next: line.next };
  const read = attempt(errors, () => readStatement(reading, line, comments));
  if (read === undefined) return { instruction: undefined, next: source.lines.length };
  const instruction = attempt(errors, () => instructionOf(read.statement), read.statement.range);
  return { instruction, next: read.next };
}

/** Takes a logical line apart and reads the heredocs it opens. */
function readStatement(
  reading: Pick<Reading, 'source' | 'escape'>,
  line: LogicalLine,
  comments: readonly string[],
): { statement: Statement; next: number } {
  const { source } = reading;
  const parts = takeApart(line, 0);
  const whole = rangeOf(line, parts.keywordSpan.start, Math.max(line.text.trimEnd().length, 1));
  const plain = {
    line,
    escape: reading.escape,
    ...parts,
    heredocs: [] as PlacedHeredoc[],
    range: whole,
    comments,
  };
  const from = heredocsFrom(plain);
  if (from === undefined) return { statement: plain, next: line.next };
  const { heredocs, next } = readHeredocs(source, line, from);
  const last = heredocs.at(-1)?.range;
  const range = last === undefined ? whole : { ...whole, endLine: last.endLine, endColumn: last.endColumn };
  return { statement: { ...plain, heredocs, range }, next };
}

/** Where heredocs may stand: the arguments of ADD, COPY and RUN that are no JSON, also behind ONBUILD. */
function heredocsFrom(statement: Statement): number | undefined {
  if (!statement.line.text.includes('<<')) return undefined;
  if (statement.keyword === 'onbuild') {
    const inner = takeApart(statement.line, statement.args.start);
    return inner.keyword === 'onbuild' ? undefined : heredocsFrom({ ...statement, ...inner });
  }
  if (!['add', 'copy', 'run'].includes(statement.keyword)) return undefined;
  return isJsonForm(statement) ? undefined : statement.args.start;
}

function arrange(
  reading: Reading,
  found: readonly (Instruction | FromInstruction)[],
): { globals: ArgInstruction[]; stages: Stage[] } {
  const globals: ArgInstruction[] = [];
  const stages: { index: number; name?: string; from: FromInstruction; instructions: Instruction[] }[] = [];
  for (const instruction of found) {
    if (instruction.kind === 'from') {
      const named = instruction.name === undefined ? {} : { name: instruction.name };
      stages.push({ index: stages.length, ...named, from: instruction, instructions: [] });
    } else if (stages.length > 0) stages.at(-1)!.instructions.push(instruction);
    else if (instruction.kind === 'arg') globals.push(instruction);
    else if (reading.errors.length === 0) reading.errors.push(beforeFrom(instruction));
    if (instruction.kind === 'maintainer') reading.warnings.push(maintainerWarning(instruction.range));
  }
  const last = found.at(-1);
  if (stages.length === 0 && last?.kind === 'arg' && reading.errors.length === 0) {
    const hint = 'Add FROM image below the ARGs.';
    reading.errors.push(
      new BuildError('parse', 'no build stage: FROM is missing', { location: last.range, hint }),
    );
  }
  return { globals, stages };
}

function warnOfEmptyLines(reading: Reading, line: LogicalLine): void {
  for (const empty of line.emptyLines) {
    const location = lineRange(reading.source, empty);
    const hint = 'Remove the empty line, or make it a comment.';
    reading.warnings.push({ text: 'empty line inside a continued instruction', location, hint });
  }
}

function maintainerWarning(location: SourceRange): Warning {
  const hint = 'Write LABEL org.opencontainers.image.authors="…" instead.';
  return { text: 'MAINTAINER is deprecated', location, hint };
}

function beforeFrom(instruction: Instruction): BuildError {
  const keyword = /^\S*/.exec(instruction.source)![0].toUpperCase();
  return new BuildError(
    'parse',
    `no build stage in current context: ${keyword} stands before the first FROM`,
    {
      location: instruction.range,
      hint: 'Begin the file with FROM image; only ARG may come before it.',
    },
  );
}

function noInstructions(source: SourceText): BuildError {
  return new BuildError('parse', 'file with no instructions', {
    location: lineRange(source, 0),
    hint: 'A Containerfile begins with FROM image.',
  });
}

/** Runs one step of reading and keeps its error, placed where the step knows no better. */
function attempt<Result>(
  errors: BuildError[],
  step: () => Result,
  location?: SourceRange,
): Result | undefined {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    errors.push(location === undefined ? error : error.at(location));
    return undefined;
  }
}
