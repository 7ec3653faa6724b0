import { type Block, blocksOf, type FrameLine } from './blocks.ts';
import { cleanLine } from './clean.ts';
import { formatSeconds } from './format.ts';
import { LOG_LINES, type Picture } from './picture.ts';
import { clip } from './width.ts';

/** Where a frame is shown. Without `rows` it is shown whole. */
export interface FrameSize {
  readonly title: string;
  readonly columns: number;
  readonly rows?: number;
  readonly now: number;
}

/**
 * The picture as lines of at most `columns` columns. With `rows`, no more than so many: what is over gives way to what
 * runs, oldest first, then logs get shorter, and at last what runs is counted.
 */
export function frameOf(picture: Picture, size: FrameSize): FrameLine[] {
  const blocks = blocksOf(picture.items.values(), size);
  const header: FrameLine = { text: clip(headerOf(picture, size), size.columns), tone: 'plain' };
  if (size.rows !== undefined) return [header, ...fitted(blocks, size.rows - 1)];
  const lines = blocks.flatMap(({ head, log }) => [head, ...log]);
  return [header, ...lines, ...warningsOf(picture), ...summaryOf(picture, size.columns)];
}

function headerOf(picture: Picture, size: FrameSize): string {
  const items = [...picture.items.values()];
  const steps = items.filter((item) => item.kind === 'step');
  const counted = steps.length > 0 ? steps : items.filter((item) => item.kind === 'transfer');
  const ended = counted.filter((item) => item.endedAt !== undefined).length;
  const planned = [...picture.stages.values()].reduce((sum, count) => sum + count, 0);
  const words = { done: ' FINISHED', failed: ' FAILED', cancelled: ' CANCELED' };
  const end = picture.outcome === undefined ? '' : words[picture.outcome];
  const count = `(${ended}/${Math.max(planned, counted.length)})`;
  return `[+] ${size.title} ${formatSeconds(picture.endedAt ?? size.now)} ${count}${end}`;
}

/** As many lines as there are rows, at most. */
function fitted(blocks: readonly Block[], rows: number): FrameLine[] {
  const kept = choose(blocks, rows);
  const running = kept.filter(({ log }) => log.length > 0).length;
  const room = Math.max(0, rows - kept.length);
  const share = running === 0 ? 0 : Math.min(LOG_LINES, Math.floor(room / running));
  const lines = kept.flatMap(({ head, brief, log }) =>
    share === 0 ? [brief] : [head, ...log.slice(-share)],
  );
  if (lines.length <= rows) return lines;
  const more = lines.length - rows + 1;
  return [...lines.slice(0, Math.max(0, rows - 1)), { text: ` => … and ${more} more`, tone: 'dim' }];
}

/** Drops finished blocks, oldest first, until the rest fits. */
function choose(blocks: readonly Block[], rows: number): Block[] {
  let count = blocks.reduce((sum, { log }) => sum + 1 + log.length, 0);
  return blocks.filter((block) => {
    if (count <= rows || !block.finished) return true;
    count -= 1 + block.log.length;
    return false;
  });
}

/** Warnings are kept whole: a terminal wraps them, and nothing is painted over them any more. */
function warningsOf(picture: Picture): FrameLine[] {
  const notes = [...picture.items.values()].filter((item) => item.kind === 'note');
  const details = notes.flatMap((note) => (note.detail === undefined ? [] : [note.detail]));
  if (details.length === 0) return [];
  const head = `${details.length} warning${details.length === 1 ? '' : 's'}:`;
  const lines = details.flatMap((detail) => {
    const [first = '', ...rest] = detail.split('\n');
    return [` - ${first}`, ...rest.map((line) => `   ${line}`)];
  });
  return ['', head, ...lines].map((text) => ({ text: cleanLine(text), tone: 'warning' }));
}

/** What the build came to, where it did anything. */
function summaryOf({ summary }: Picture, columns: number): FrameLine[] {
  const lines = summary.lines(columns - 2);
  if (lines.length === 0) return [];
  const all = ['', `  steps   ${summary.counts()}`, ...lines.map((line) => `  ${line}`)];
  return all.map((text) => ({ text, tone: 'plain' }));
}
