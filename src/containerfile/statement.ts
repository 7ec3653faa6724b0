import { BuildError, type SourceRange } from '../core/errors.ts';
import type { PlacedHeredoc } from './heredoc.ts';
import { type LogicalLine, rangeOf } from './lines.ts';
import type { CommandLine, Extension, Word } from './types.ts';
import { blankWords, type Flag, leadingFlags, type Span } from './words.ts';
import { scanned } from './work.ts';

/** One instruction taken into keyword, flags and the rest, its meaning not yet known. */
export interface Statement {
  readonly line: LogicalLine;
  readonly escape: '\\' | '`';
  /** Lower-cased. */
  readonly keyword: string;
  readonly keywordSpan: Span;
  readonly flags: readonly Flag[];
  /** Offsets of the arguments, blanks around them left out. */
  readonly args: Span;
  readonly heredocs: readonly PlacedHeredoc[];
  /** The whole instruction, heredoc bodies included. */
  readonly range: SourceRange;
  readonly comments: readonly string[];
  /** What is switched on; undefined in a trigger, where nothing can be. */
  readonly extensions: ReadonlySet<Extension> | undefined;
}

/** Blanks, and a word that may hold any visible character. */
const KEYWORD = /^\s*[^\t\v\f\r ]*/;

/** Offsets of keyword, flags and arguments of the instruction that begins at `from`. */
export function takeApart(
  line: LogicalLine,
  from: number,
): Pick<Statement, 'keyword' | 'keywordSpan' | 'flags' | 'args'> {
  const [first] = KEYWORD.exec(line.text.slice(from))!;
  scanned(first.length);
  const end = from + first.length;
  const start = end - first.trimStart().length;
  const { flags, rest } = leadingFlags(line.text, end);
  return {
    keyword: line.text.slice(start, end).toLowerCase(),
    keywordSpan: { start, end },
    flags,
    args: { start: rest, end: Math.max(rest, line.text.trimEnd().length) },
  };
}

/** The arguments as written. */
export function argsText(statement: Statement): string {
  return statement.line.text.slice(statement.args.start, statement.args.end);
}

export function wordOf(statement: Statement, span: Span): Word {
  const { line } = statement;
  return { text: line.text.slice(span.start, span.end), range: rangeOf(line, span.start, span.end) };
}

/** A parse error at a part of the statement. */
export function failure(statement: Statement, span: Span, message: string, hint?: string): BuildError {
  return new BuildError('parse', message, {
    location: rangeOf(statement.line, span.start, span.end),
    ...(hint !== undefined && { hint }),
  });
}

/** Arguments between blanks; a missing one fails with what the instruction wants. */
export function blankArguments(statement: Statement): Span[] {
  return blankWords(statement.line.text.slice(0, statement.args.end), statement.args.start);
}

/** The whole of the arguments as one word; fails when there is none. */
export function onlyArgument(statement: Statement): Word {
  if (argsText(statement) === '') throw missingArgument(statement, 'exactly one argument');
  return wordOf(statement, statement.args);
}

export function missingArgument(statement: Statement, wanted: string): BuildError {
  const name = statement.keyword.toUpperCase();
  return failure(statement, statement.keywordSpan, `${name} requires ${wanted}`);
}

/**
 * The elements of a JSON array of strings with their places; undefined where the arguments are no JSON array at all,
 * which makes them shell form. An array that holds anything but strings fails.
 */
export function jsonArguments(statement: Statement, args: Span = statement.args): Word[] | undefined {
  const text = statement.line.text.slice(args.start, args.end);
  const values = parsedArray(text);
  if (values === undefined) return undefined;
  if (!values.every((value) => typeof value === 'string')) {
    throw failure(statement, args, 'a JSON array of arguments may hold strings only', 'Quote every element.');
  }
  scanned(text.length);
  const places = [...text.matchAll(/"(?:[^"\\]|\\.)*"/g)];
  return values.map((value, i) => {
    const start = args.start + places[i]!.index;
    return {
      text: value.toWellFormed(),
      range: rangeOf(statement.line, start, start + places[i]![0].length),
    };
  });
}

/** Whether the arguments are a JSON array, be it one of strings or not. */
export function isJsonForm(statement: Statement): boolean {
  return parsedArray(argsText(statement)) !== undefined;
}

/** Exec form for a JSON array, shell form for all else. */
export function commandLine(statement: Statement, args: Span = statement.args): CommandLine {
  const json = jsonArguments(statement, args);
  if (json !== undefined) return { form: 'exec', args: json.map(({ text }) => text) };
  const text = statement.line.text.slice(args.start, args.end);
  return { form: 'shell', text, heredocs: statement.heredocs.map(withoutOpening) };
}

export function withoutOpening(heredoc: PlacedHeredoc): CommandHeredoc {
  const { opening: _, ...rest } = heredoc;
  return rest;
}

type CommandHeredoc = Omit<PlacedHeredoc, 'opening'>;

function parsedArray(text: string): unknown[] | undefined {
  if (!text.startsWith('[')) return undefined;
  scanned(text.length);
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
