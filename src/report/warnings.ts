import type { BuildEvent } from '../core/events.ts';
import { cleanLine, cleanText } from './clean.ts';
import { renderSnippet } from './error.ts';

/** A warning with a place in a file: it is told once the build has ended. */
export type FileWarning = Extract<BuildEvent, { type: 'note' }>;

export function isFileWarning(event: BuildEvent): event is FileWarning {
  return event.type === 'note' && event.level === 'warning' && event.location !== undefined;
}

/**
 * The warnings of a file after its build, after BuildKit's picture: a line each, and a blank one. With `read`, which gives the text of a
 * file, also what each is about, where that is explained, and the lines in question.
 */
export function renderWarnings(
  notes: readonly FileWarning[],
  read?: (file: string) => string | undefined,
): string {
  if (notes.length === 0) return '';
  const count = notes.length === 1 ? '1 warning found' : `${notes.length} warnings found`;
  const how = read === undefined ? ' (use --debug to expand)' : '';
  const several = new Set(notes.map(({ location }) => location?.file)).size > 1;
  const lines = notes.map((note) => {
    const head = ` - ${headOf(note, several)}\n`;
    return read === undefined ? head + ownHint(note) : `${head}${detailsOf(note, read)}\n`;
  });
  return `\n ${count}${how}:\n${lines.join('')}${read === undefined ? '\n' : ''}`;
}

function headOf({ rule, text, location }: FileWarning, withFile: boolean): string {
  const name = rule === undefined ? '' : `${rule}: `;
  const line = location?.startLine ?? 0;
  const where = withFile ? `${location?.file}:${line}` : `line ${line}`;
  return cleanLine(`${name}${text.replaceAll('\n', ' ')} (${where})`);
}

/** Rules that are explained nowhere say at once what to do. */
function ownHint({ hint, url }: FileWarning): string {
  return hint === undefined || url !== undefined ? '' : `   ${cleanLine(hint)}\n`;
}

function detailsOf(
  { description, url, hint, location }: FileWarning,
  read: (file: string) => string | undefined,
): string {
  const text = location === undefined ? undefined : read(location.file);
  return [
    description === undefined ? '' : `${cleanText(description)}\n`,
    url === undefined ? '' : `More info: ${cleanLine(url)}\n`,
    hint === undefined ? '' : `hint: ${cleanText(hint)}\n`,
    text === undefined ? '' : renderSnippet(text, location!),
  ].join('');
}
