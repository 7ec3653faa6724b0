import { BuildError, type SourceRange } from '../core/errors.ts';
import { arrange } from './arrange.ts';
import { readDirectives } from './directives.ts';
import { enabledExtensions } from './extensions.ts';
import type { Inclusion } from './include.ts';
import { checkTrigger, instructionOf } from './instructions.ts';
import { isComment, lineRange, logicalLine, type SourceText, sourceText, tooLongLines } from './lines.ts';
import { type Found, readAll, readStatement } from './reading.ts';
import { inFileOrder } from './source-order.ts';
import { checkSyntax } from './syntax.ts';
import type { Containerfile, Include, Instruction } from './types.ts';

export interface ParseOptions {
  /** Extensions that are switched on, whatever the file says. */
  readonly enable?: Iterable<string>;
  /** Reads what INCLUDE names; without it nothing can be included. */
  readonly include?: Include;
  /** The build arg BUILDKIT_SYNTAX: asks for a frontend in place of the file's own line. */
  readonly syntax?: string;
}

/** All that can be said of a file at once. */
export interface Parsed {
  /** With errors: the instructions that could be read. */
  readonly containerfile: Containerfile;
  /** Each with its location, in the order of the file. */
  readonly errors: readonly BuildError[];
}

/** Parses a Containerfile (§1). Fails with `parse`, with all errors together. */
export function parse(text: string, file: string, options: ParseOptions = {}): Containerfile {
  const { containerfile, errors } = parseAll(text, file, options);
  BuildError.throwAll(errors);
  return containerfile;
}

/** Parses a Containerfile and goes on after an error, so that all of them are known at once. */
export function parseAll(text: string, file: string, options: ParseOptions = {}): Parsed {
  const source = sourceText(text, file);
  const head = readDirectives(source);
  const { extensions, errors: unknown } = enabledExtensions(source, options.enable ?? []);
  const { warnings, error: foreign } = checkSyntax(source, head.syntax, options.syntax);
  const errors = [...tooLongLines(source), ...head.errors, ...unknown, ...(foreign ? [foreign] : [])];
  const inclusion = inclusionOf(file, options.include);
  const found: Found[] = [];
  const reading = { source, escape: head.escape, extensions, inclusion, errors, warnings, found };
  if (foreign === undefined) readAll(reading, head.next);
  const { globals, stages, errors: misplaced } = arrange(found, errors);
  if (errors.length === 0 && found.length === 0) errors.push(noInstructions(source));
  const containerfile = {
    ...{ file, text: source.text, escape: head.escape, extensions, included: inclusion.texts },
    ...{ globals, stages, warnings },
    ...(head.syntax !== undefined && { syntax: head.syntax.frontend }),
    ...(head.check !== undefined && { check: head.check }),
  };
  return { containerfile, errors: inFileOrder([...errors, ...misplaced], filesOf(containerfile)) };
}

/** The names of the file and of all that it includes, in the order they were read. */
export function filesOf({ file, included }: Pick<Containerfile, 'file' | 'included'>): string[] {
  return [file, ...included.keys()];
}

/**
 * Parses one ONBUILD trigger of an image into the instruction it stands for. Its ranges are those of the trigger's own
 * text. Fails for what no trigger may be.
 */
export function parseTrigger(text: string, escapeWith: '\\' | '`'): Instruction {
  const source = sourceText(text, 'ONBUILD trigger');
  const line = logicalLine(source, 0, escapeWith);
  const { statement, next } = readStatement({ source, escape: escapeWith, extensions: undefined }, line, []);
  checkTrigger(statement);
  const more = source.lines.slice(next).some((other) => other.trim() !== '');
  const instruction = more || isComment(text) || text.trim() === '' ? undefined : instructionOf(statement);
  if (instruction !== undefined && instruction.kind !== 'from') return instruction;
  throw new BuildError('parse', 'an ONBUILD trigger must be exactly one instruction', {
    location: statement.range,
  });
}

function inclusionOf(file: string, read: Include | undefined): Inclusion {
  const total = { files: 0, characters: 0 };
  return { chain: [file], texts: new Map(), total, ...(read !== undefined && { read }) };
}

function noInstructions(source: SourceText): BuildError {
  const location: SourceRange = lineRange(source, 0);
  const hint = 'A Containerfile begins with FROM image.';
  return new BuildError('parse', 'file with no instructions', { location, hint });
}
