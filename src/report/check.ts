import type { BuildError, SourceRange } from '../core/errors.ts';
import type { Warning } from '../core/events.ts';
import { cleanLine, cleanText } from './clean.ts';
import { renderFailure, renderSnippet } from './error.ts';

/** What a check found, in the order of the file. */
export interface CheckReport {
  readonly warnings: readonly Warning[];
  readonly errors: readonly BuildError[];
}

type Read = (file: string) => string | undefined;

/** What `--check` prints, after docker's picture: how much was found, then each finding with its lines. */
export function renderCheck({ warnings, errors }: CheckReport, read: Read): string {
  if (warnings.length + errors.length === 0) return 'Check complete, no warnings found.\n';
  const counts = [counted(errors.length, 'error'), counted(warnings.length, 'warning')];
  const total = warnings.length + errors.length;
  const found = `${counts.filter((text) => text !== '').join(' and ')} ${total === 1 ? 'has' : 'have'} been found!`;
  const findings = [
    ...errors.map((error) => ({ location: error.location, text: errorText(error, read) })),
    ...warnings.map((warning) => ({ location: warning.location, text: warningText(warning, read) })),
  ];
  const sorted = findings.sort((a, b) => byPlace(a.location, b.location));
  return `Check complete, ${found}\n${sorted.map(({ text }) => `\n${text}`).join('')}`;
}

function counted(count: number, word: string): string {
  return count === 0 ? '' : `${count} ${word}${count === 1 ? '' : 's'}`;
}

function errorText(error: BuildError, read: Read): string {
  return renderFailure(error, { read, debug: false });
}

function warningText({ rule, url, text, hint, location }: Warning, read: Read): string {
  const source = read(location.file);
  const title = [rule ?? '', url ?? ''].filter((part) => part !== '').join(' - ');
  return [
    title === '' ? 'WARNING\n' : `WARNING: ${cleanLine(title)}\n`,
    `${cleanText(text)}\n`,
    source === undefined ? '' : renderSnippet(source, location),
    hint === undefined ? '' : `hint: ${cleanText(hint)}\n`,
  ].join('');
}

/** Findings of one file by line; files stay in the order in which they are first named. */
function byPlace(a: SourceRange | undefined, b: SourceRange | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return a.file === b.file ? a.startLine - b.startLine || a.startColumn - b.startColumn : 0;
}
