import { BuildError, type SourceRange } from '../core/errors.ts';
import type { Warning } from '../core/events.ts';
import { cleanText } from './clean.ts';

/** The path by which the system that reads along knows a file, or undefined where it does not. */
type PathOf = (file: string) => string | undefined;

/** GitHub shows ten errors and ten warnings of a step at most. */
const MOST = 10;

/** A failure as GitHub shows it beside the lines in question: a command per error. */
export function annotateError(error: unknown, pathOf: PathOf): string {
  if (!(error instanceof BuildError)) return '';
  const errors = error.errors ?? [error];
  return errors
    .slice(0, MOST)
    .map(({ code, message, hint, location }) =>
      command('error', { title: `tsbuild: ${code}`, text: withHint(message, hint), location, pathOf }),
    )
    .join('');
}

/** Warnings of files as GitHub shows them beside their lines. */
export function annotateWarnings(
  notes: readonly (Pick<Warning, 'text'> & Partial<Warning>)[],
  pathOf: PathOf,
): string {
  return notes
    .slice(0, MOST)
    .map(({ rule, text, hint, location }) =>
      command('warning', { title: rule ?? 'tsbuild', text: withHint(text, hint), location, pathOf }),
    )
    .join('');
}

interface Said {
  readonly title: string;
  readonly text: string;
  readonly location: SourceRange | undefined;
  readonly pathOf: PathOf;
}

function withHint(text: string, hint: string | undefined): string {
  return hint === undefined ? text : `${text}\n${hint}`;
}

function command(name: 'error' | 'warning', { title, text, location, pathOf }: Said): string {
  const place = location === undefined ? [] : placeOf(location, pathOf(location.file));
  const properties = [...place, ['title', title] as const].map(([key, value]) => `${key}=${property(value)}`);
  return `::${name} ${properties.join(',')}::${data(text)}\n`;
}

/** Columns are understood within one line only. */
function placeOf(
  { startLine, startColumn, endLine, endColumn }: SourceRange,
  path: string | undefined,
): (readonly [string, string])[] {
  if (path === undefined) return [];
  const lines = [
    ['file', path],
    ['line', String(startLine)],
    ['endLine', String(endLine)],
  ] as const;
  const columns = [
    ['col', String(startColumn)],
    ['endColumn', String(endColumn)],
  ] as const;
  return startLine === endLine ? [...lines, ...columns] : [...lines];
}

function data(text: string): string {
  return cleanText(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
