import type { SourceRange } from '../../core/errors.ts';
import { hideLogins } from '../../core/logins.ts';
import { html, type Markup } from './markup.ts';

/** Of an instruction with more lines only the first ones are shown. */
const mostLines = 12;
const longestLine = 200;

/** The lines of a file that a location names, with two more on each side, and the words in question marked. */
export function snippet(location: SourceRange, sources: Readonly<Record<string, string>>): Markup {
  const where = html`<p class="where"><code>${location.file}:${location.startLine}</code></p>`;
  const text = Object.hasOwn(sources, location.file) ? sources[location.file] : undefined;
  if (text === undefined) return where;
  const lines = text.split(/\r?\n/);
  const last = Math.min(lastLineOf(location), location.startLine + mostLines - 1, lines.length);
  const from = Math.max(1, location.startLine - 2);
  const to = Math.min(lines.length, last + 2);
  const shown = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return html`${where}<pre class="source" tabindex="0" aria-label="source">${shown.map((n) => line(n, lines[n - 1] ?? '', location))}</pre>`;
}

function line(n: number, text: string, location: SourceRange): Markup {
  const isMeant = n >= location.startLine && n <= lastLineOf(location);
  const number = String(n).padStart(4);
  if (!isMeant) return html`<span class="n">${number}  </span>${short(text)}${'\n'}`;
  // A login may go across the columns: then the whole line is meant.
  const isWhole = hideLogins(text) !== text;
  const start = n === location.startLine && !isWhole ? location.startColumn - 1 : 0;
  const end = n === location.endLine && !isWhole ? location.endColumn - 1 : text.length;
  return html`<span class="n">${number}  </span>${short(text.slice(0, start))}<mark>${short(text.slice(start, end))}</mark>${short(text.slice(end))}${'\n'}`;
}

function short(text: string): string {
  const shown = hideLogins(text);
  return shown.length > longestLine ? `${shown.slice(0, longestLine)}…` : shown;
}

/** An end at the first column of a line means the line before. */
function lastLineOf({ startLine, endLine, endColumn }: SourceRange): number {
  return endColumn <= 1 && endLine > startLine ? endLine - 1 : endLine;
}
