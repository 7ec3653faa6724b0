import { BuildError, type SourceRange } from '../core/errors.ts';
import { hideLogins } from '../core/logins.ts';
import { cleanLine, cleanText } from './clean.ts';
import { clip, widthOf, wrap } from './width.ts';

/** What else is known about a failure, for its text. */
export interface FailureSetting {
  /** The text of a file that a location names, or undefined where it cannot be had. */
  readonly read: (file: string) => string | undefined;
  /** Name of the step that failed: `[builder 2/4] RUN make`. */
  readonly step?: string;
  /** Where its complete log is kept. */
  readonly logFile?: string;
  /** Shows causes, and the stack of a bug. */
  readonly debug: boolean;
  /** Columns of the terminal that it is for; undefined where nothing is cut to its width. */
  readonly columns?: number | undefined;
}

const rule = '-'.repeat(20);

/** Of an instruction with more lines than this only the first and the last ones are shown. */
const MOST_LINES = 20;

/** Of a file that is no Containerfile at all nobody reads more errors than this. */
const MOST_ERRORS = 100;

/** A line is cut after so many characters: nobody reads the rest of a script that was written into one. */
const MOST_CHARACTERS = 500;

/**
 * Any thrown value as the text that ends the story: where, the lines in question, the log, the reason, the hint. Of
 * several errors each is told so, and then how many they are.
 */
export function renderFailure(error: unknown, setting: FailureSetting): string {
  if (!(error instanceof BuildError)) return renderBug(error, setting.debug);
  const parts = [
    ...(error.errors ?? []).slice(0, MOST_ERRORS).map((one) => `${renderFailure(one, setting)}\n`),
    moreErrors(error),
    logOf(error, setting),
    snippet(error, setting),
    told(`error: ${cleanText(error.message)}`, setting),
    error.hint === undefined ? '' : told(`hint: ${cleanText(error.hint)}`, setting),
    setting.debug ? causesOf(error) : '',
  ];
  return disobeyed(parts.join(''));
}

/**
 * The lines of a location between rules, after BuildKit's picture, with a line of carets under the exact columns.
 * Around a single line four lines are shown, around several two. Lines are cut to `columns` where what is marked begins within.
 */
export function renderSnippet(text: string, location: SourceRange, columns?: number): string {
  const lines = linesOf(text);
  const first = Math.min(location.startLine, lines.length);
  const last = Math.max(first, Math.min(lastLineOf(location), lines.length));
  const pad = last === first ? 4 : 2;
  const within = fitter(location, columns);
  let out = `${cleanLine(location.file)}:${location.startLine}:${location.startColumn}\n${rule}\n`;
  for (let n = Math.max(1, first - pad); n <= Math.min(lines.length, last + pad); n++) {
    if (n === first + MOST_LINES - 2 && last - n >= 2) {
      out += `     |     … ${last - n - 1} lines more\n`;
      n = last - 1;
    }
    const line = shownLine((lines[n - 1] ?? '').slice(0, MOST_CHARACTERS));
    if (n === lines.length && line === '' && n > last) break;
    const inside = n >= first && n <= last;
    out += `${within(`${String(n).padStart(4)} | ${inside ? '>>>' : '   '} ${line}`.trimEnd(), '…')}\n`;
    if (inside) out += within(carets((lines[n - 1] ?? '').slice(0, MOST_CHARACTERS), n, location), '\n');
  }
  return `${out}${rule}\n`;
}

/** Cuts a line to a terminal, and says at its end that it was; a mark further right than that is worth more than a calm picture. */
function fitter(
  { startColumn }: SourceRange,
  columns: number | undefined,
): (line: string, end: string) => string {
  if (columns === undefined || startColumn + SOURCE_COLUMN > columns) return (line) => line;
  return (line, end) => (widthOf(line.trimEnd()) <= columns ? line : clip(line, columns).slice(0, -1) + end);
}

/** Where a line of a file begins in the picture, counted from 1, with room for a mark. */
const SOURCE_COLUMN = 16;

function told(text: string, { columns }: FailureSetting): string {
  return `${columns === undefined ? text : wrap(text, columns)}\n`;
}

function shownLine(line: string): string {
  return cleanLine(hideLogins(line));
}

function moreErrors({ errors = [] }: BuildError): string {
  return errors.length <= MOST_ERRORS ? '' : `… ${errors.length - MOST_ERRORS} errors more\n\n`;
}

function snippet(error: BuildError, { read, columns }: FailureSetting): string {
  if (error.location === undefined) return '';
  const text = read(error.location.file);
  if (text !== undefined) return renderSnippet(text, error.location, columns);
  return `${cleanLine(error.location.file)}:${error.location.startLine}:${error.location.startColumn}\n`;
}

/** The text that was taken apart last: a file with a thousand errors is not split a thousand times. */
let taken: { readonly text: string; readonly lines: readonly string[] } | undefined;

function linesOf(text: string): readonly string[] {
  if (taken?.text !== text) taken = { text, lines: text.split(/\r?\n/) };
  return taken.lines;
}

/** An end at the first column of a line means the line before. */
function lastLineOf(location: SourceRange): number {
  return location.endColumn <= 1 && location.endLine > location.startLine
    ? location.endLine - 1
    : location.endLine;
}

function carets(line: string, number: number, location: SourceRange): string {
  const indent = line.length - line.trimStart().length;
  const start = number === location.startLine ? location.startColumn - 1 : indent;
  const written = line.trimEnd().length;
  const end = Math.min(number === location.endLine ? location.endColumn - 1 : written, written);
  if (start >= written) return '';
  const before = widthOf(shownLine(line.slice(0, start)));
  const under = Math.max(1, widthOf(shownLine(line.slice(start, end))));
  return `     |     ${' '.repeat(before)}${'^'.repeat(under)}\n`;
}

function logOf(error: BuildError, setting: FailureSetting): string {
  if (error.log === undefined || error.log.length === 0) return '';
  const { step, columns = Number.POSITIVE_INFINITY } = setting;
  const head = step === undefined ? '------\n' : `------\n > ${clip(cleanLine(step), columns - 4)}:\n`;
  const lines = error.log.map((line) => `${cleanLine(line)}\n`).join('');
  const kept = setting.logFile === undefined ? '' : `complete log: ${setting.logFile}\n`;
  return `${head}${lines}------\n${kept}`;
}

/** Runners of GitHub obey a line that begins with two colons, whoever wrote it. */
function disobeyed(text: string): string {
  return text.replace(/^[ \t]*(?=::)/gm, '| ');
}

function causesOf(error: Error): string {
  let out = '';
  let cause = error.cause;
  for (let depth = 0; cause !== undefined && depth < 8; depth++) {
    out += `cause: ${cleanText(cause instanceof Error ? cause.message : String(cause))}\n`;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return out;
}

function renderBug(error: unknown, debug: boolean): string {
  const message = error instanceof Error ? error.message : String(error);
  const stack = debug && error instanceof Error ? `${cleanText(error.stack ?? '')}\n` : '';
  const hint = debug
    ? 'hint: please report it, with the lines above.\n'
    : 'hint: this is a bug in tsbuild; run the same command with --debug and report what it prints.\n';
  return `${stack}error: unexpected failure: ${cleanText(message)}\n${hint}`;
}
