import { formatBytes, formatRate, formatSeconds } from './format.ts';
import { type Item, type NoteItem, type StepItem, type TransferItem, tailOf } from './picture.ts';
import { clip, widthOf } from './width.ts';

/** A line of a frame; the painter adds the colour. */
export interface FrameLine {
  readonly text: string;
  readonly tone: 'plain' | 'done' | 'failed' | 'warning' | 'dim';
}

/** What a frame shows of one thing, or of several that are folded. */
export interface Block {
  readonly head: FrameLine;
  /** The head where there is no room for the log: its last line is in it. */
  readonly brief: FrameLine;
  /** The end of its log. */
  readonly log: readonly FrameLine[];
  /** Whether it may give way to what still runs. */
  readonly finished: boolean;
}

/** Where a frame is shown. */
interface Sight {
  readonly columns: number;
  readonly now: number;
}

/** So many that are over are one line. */
const FOLD_STEPS = 3;
const FOLD_TRANSFERS = 4;

/** A bar is drawn where a line has this many columns; it takes about a fifth of them. */
const BAR_FROM = 60;

/**
 * The items as blocks, in the order they came. Steps of a stage that follow each other and were cached are one, and so
 * are transfers of one kind that are over.
 */
export function blocksOf(items: Iterable<Item>, sight: Sight): Block[] {
  return foldable(items).map((group) => blockOf(group, sight));
}

type Group = readonly [Item, ...Item[]];

/** Groups that are to be one line each, in the order of their first items. */
function foldable(items: Iterable<Item>): Group[] {
  const groups: [Item, ...Item[]][] = [];
  const open = new Map<string, [Item, ...Item[]]>();
  for (const item of items) {
    const key = foldKey(item);
    const group = key === undefined ? undefined : open.get(key);
    if (group !== undefined) group.push(item);
    else {
      const fresh: [Item, ...Item[]] = [item];
      groups.push(fresh);
      if (key !== undefined) open.set(key, fresh);
      else if (item.kind === 'step') open.delete(`step ${item.stage}`);
    }
  }
  return groups.flatMap((group) => (isLong(group) ? [group] : group.map((one): Group => [one])));
}

/** Items of one key may be folded. */
function foldKey(item: Item): string | undefined {
  if (item.kind === 'step') return item.outcome === 'cached' ? `step ${item.stage}` : undefined;
  if (item.kind === 'note' || item.state === 'running' || item.state === 'failed') return undefined;
  return `transfer ${verbOf(item)}`;
}

function isLong([first, ...rest]: Group): boolean {
  return 1 + rest.length >= (first.kind === 'transfer' ? FOLD_TRANSFERS : FOLD_STEPS);
}

function blockOf(group: Group, sight: Sight): Block {
  const [item] = group;
  if (group.length > 1) return finished(foldedHead(group, sight));
  if (item.kind === 'note') return finished(noteLine(item, sight.columns));
  const took = formatSeconds((item.endedAt ?? sight.now) - item.startedAt);
  const [words, tone] = item.kind === 'step' ? stepWords(item) : transferWords(item, sight);
  const head: FrameLine = { text: justify(words, took, sight.columns), tone };
  if (item.endedAt !== undefined && tone !== 'failed') return finished(head);
  const tail = item.kind === 'step' ? tailOf(item) : [];
  const last = tail.at(-1);
  const brief = last === undefined ? words : `${clip(words, Math.floor(sight.columns / 2))} | ${last}`;
  return {
    head,
    brief: { text: justify(brief, took, sight.columns), tone },
    log: tail.map((line) => ({ text: clip(` => => # ${line}`, sight.columns), tone: 'dim' })),
    finished: false,
  };
}

function finished(head: FrameLine): Block {
  return { head, brief: head, log: [], finished: true };
}

function noteLine({ level, text }: NoteItem, columns: number): FrameLine {
  const isWarning = level === 'warning';
  const words = ` => ${isWarning ? 'WARNING: ' : ''}${text}`;
  return { text: clip(words, columns), tone: isWarning ? 'warning' : 'plain' };
}

function foldedHead(group: Group, { columns }: Sight): FrameLine {
  const items = group.filter((item) => item.kind !== 'note');
  const startedAt = Math.min(...items.map((item) => item.startedAt));
  const ms = Math.max(...items.map((item) => item.endedAt ?? startedAt)) - startedAt;
  const steps = items.filter((item) => item.kind === 'step');
  const words = steps.length > 0 ? foldedSteps(steps) : foldedTransfers(items as TransferItem[]);
  return { text: justify(words, formatSeconds(ms), columns), tone: 'done' };
}

/** ` => CACHED [builder 2/9] … 9/9 (8 steps)` */
function foldedSteps(steps: readonly StepItem[]): string {
  const first = /^\[[^\]]*\]/.exec(steps[0]!.name)?.[0] ?? steps[0]!.name;
  const last = /(\d+\/\d+)\]/.exec(steps.at(-1)!.name)?.[1] ?? '';
  return ` => CACHED ${first} … ${last} (${steps.length} steps)`;
}

/** ` => pulling: 12 of 145MB` */
function foldedTransfers(transfers: readonly TransferItem[]): string {
  const bytes = transfers.reduce((sum, one) => sum + (one.state === 'done' ? one.done : 0), 0);
  const there = transfers.filter(({ state }) => state === 'exists' || state === 'mounted').length;
  const moved = transfers.length - there;
  const words = [
    ...(moved > 0 ? [`${moved} done, ${formatBytes(bytes)}`] : []),
    ...(there > 0 ? [`${there} there already`] : []),
  ];
  return ` => ${verbOf(transfers[0]!) || 'layers'}: ${words.join('; ')}`;
}

/** `pulling` of `pulling 8a1e25ce7c4f`; nothing where the name is that of a blob alone. */
function verbOf({ name }: TransferItem): string {
  const [verb, rest] = name.split(' ', 2);
  return rest === undefined ? '' : verb!;
}

function stepWords(step: StepItem): [string, FrameLine['tone']] {
  if (step.outcome === 'failed') return [` => ERROR ${step.name}`, 'failed'];
  if (step.outcome === 'cancelled') return [` => CANCELED ${step.name}`, 'warning'];
  if (step.outcome === 'cached') return [` => CACHED ${step.name}`, 'done'];
  return [` => ${step.name}`, step.outcome === 'done' ? 'done' : 'plain'];
}

function transferWords(item: TransferItem, { now, columns }: Sight): [string, FrameLine['tone']] {
  if (item.state === 'exists') return [` => ${item.name} exists already`, 'done'];
  if (item.state === 'mounted') return [` => ${item.name} mounted from another repository`, 'done'];
  const total = item.total === undefined ? '' : ` / ${formatBytes(item.total)}`;
  const rate = formatRate(item.done, (item.endedAt ?? now) - item.startedAt);
  const bar = item.state === 'running' ? barOf(item, columns) : '';
  const words = ` => ${item.name}${bar} ${formatBytes(item.done)}${total}${rate && ` ${rate}`}`;
  if (item.state === 'failed') return [` => ERROR ${words.slice(4)}`, 'failed'];
  return [words, item.state === 'done' ? 'done' : 'plain'];
}

function barOf({ done, total }: TransferItem, columns: number): string {
  if (total === undefined || total === 0 || columns < BAR_FROM) return '';
  const width = Math.min(30, Math.floor(columns / 5));
  const full = Math.min(width, Math.floor((done / total) * width));
  const head = full > 0 && full < width ? '>' : '';
  return ` [${'='.repeat(full - head.length)}${head}${' '.repeat(width - full)}]`;
}

/** Words at the left, cut where needed, and a time at the right edge. */
function justify(words: string, time: string, columns: number): string {
  const room = columns - widthOf(time) - 1;
  const left = clip(words, room);
  return `${left}${' '.repeat(Math.max(1, columns - widthOf(left) - widthOf(time)))}${time}`;
}
