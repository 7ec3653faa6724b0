import type { BuildEvent } from '../core/events.ts';
import { cleanLine, Lines } from './clean.ts';
import { formatBytes, formatRate, formatSeconds } from './format.ts';
import { clip, widthOf } from './width.ts';

/** The live picture of a build: what is known of it, folded from its events. */
export interface Picture {
  readonly items: Map<string, Item>;
  steps: number;
  endedAt: number | undefined;
  outcome: 'done' | 'failed' | 'cancelled' | undefined;
}

type Item = StepItem | TransferItem | NoteItem;

interface StepItem {
  readonly kind: 'step';
  readonly name: string;
  readonly startedAt: number;
  readonly lines: Record<'stdout' | 'stderr', Lines>;
  /** The last lines of its log, fit to be shown. */
  readonly log: string[];
  endedAt: number | undefined;
  outcome: 'done' | 'cached' | 'failed' | 'cancelled' | undefined;
}

interface TransferItem {
  readonly kind: 'transfer';
  readonly name: string;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly done: number;
  readonly total: number | undefined;
  readonly state: 'running' | 'done' | 'exists' | 'mounted' | 'failed';
}

interface NoteItem {
  readonly kind: 'note';
  readonly level: 'info' | 'warning';
  readonly text: string;
  /** A warning stands under the picture, in full, once the build has ended. */
  readonly detail: string | undefined;
}

/** A line of a frame; the painter adds the colour. */
export interface FrameLine {
  readonly text: string;
  readonly tone: 'plain' | 'done' | 'failed' | 'warning' | 'dim';
}

interface Block {
  readonly lines: readonly FrameLine[];
  readonly finished: boolean;
}

/** Log lines shown under a running step. */
const logLines = 6;

export function emptyPicture(): Picture {
  return { items: new Map(), steps: 0, endedAt: undefined, outcome: undefined };
}

/** Takes an event into the picture. */
export function addEvent(picture: Picture, event: BuildEvent): void {
  if (event.type === 'build-start') picture.steps = event.steps;
  else if (event.type === 'step-start') addStep(picture, event);
  else if (event.type === 'step-log') addLog(picture, event);
  else if (event.type === 'step-end') endStep(picture, event);
  else if (event.type === 'transfer') addTransfer(picture, event);
  else if (event.type === 'note') addNote(picture, event);
  else if (event.type === 'build-end') {
    picture.endedAt = event.at;
    picture.outcome = event.outcome;
  }
}

/**
 * The picture as lines of at most `columns` columns. With `rows`, finished steps give way to running ones, oldest
 * first, so that no more than so many lines result.
 */
export function frameOf(
  picture: Picture,
  size: {
    readonly title: string;
    readonly columns: number;
    readonly rows?: number;
    readonly now: number;
  },
): FrameLine[] {
  const blocks = [...picture.items.values()].map((item) => blockOf(item, size));
  const shown = size.rows === undefined ? blocks : choose(blocks, size.rows - 1);
  const lines = shown.flatMap((block) => block.lines);
  const header: FrameLine = { text: clip(headerOf(picture, size), size.columns), tone: 'plain' };
  return size.rows === undefined
    ? [header, ...lines, ...warningsOf(picture)]
    : [header, ...lines.slice(-Math.max(0, size.rows - 1))];
}

function addStep(picture: Picture, event: Extract<BuildEvent, { type: 'step-start' }>): void {
  picture.items.set(`step ${event.step}`, {
    kind: 'step',
    name: cleanLine(event.name),
    startedAt: event.at,
    lines: { stdout: new Lines(), stderr: new Lines() },
    log: [],
    endedAt: undefined,
    outcome: undefined,
  });
}

function addLog(picture: Picture, event: Extract<BuildEvent, { type: 'step-log' }>): void {
  const step = picture.items.get(`step ${event.step}`);
  if (step?.kind !== 'step') return;
  for (const line of step.lines[event.stream].add(event.text)) keep(step, line);
}

function keep(step: StepItem, line: string): void {
  step.log.push(cleanLine(line));
  if (step.log.length > logLines) step.log.shift();
}

function endStep(picture: Picture, event: Extract<BuildEvent, { type: 'step-end' }>): void {
  const step = picture.items.get(`step ${event.step}`);
  if (step?.kind !== 'step') return;
  for (const stream of ['stdout', 'stderr'] as const)
    for (const line of step.lines[stream].end()) keep(step, line);
  step.endedAt = event.at;
  step.outcome = event.outcome;
}

function addTransfer(picture: Picture, event: Extract<BuildEvent, { type: 'transfer' }>): void {
  const key = `transfer ${event.id}`;
  const known = picture.items.get(key);
  picture.items.set(key, {
    kind: 'transfer',
    name: cleanLine(event.name),
    startedAt: known?.kind === 'transfer' ? known.startedAt : event.at,
    endedAt: event.state === 'running' ? undefined : event.at,
    done: event.done,
    total: event.total ?? (known?.kind === 'transfer' ? known.total : undefined),
    state: event.state,
  });
}

function addNote(picture: Picture, event: Extract<BuildEvent, { type: 'note' }>): void {
  const { location, hint } = event;
  const where = location === undefined ? '' : ` (${location.file}:${location.startLine})`;
  const detail = event.level === 'warning' ? `${event.text}${where}${hint ? `\n${hint}` : ''}` : undefined;
  const text = cleanLine(event.text.replaceAll('\n', ' '));
  picture.items.set(`note ${picture.items.size}`, { kind: 'note', level: event.level, text, detail });
}

function headerOf(picture: Picture, size: { readonly title: string; readonly now: number }): string {
  const items = [...picture.items.values()];
  const steps = items.filter((item) => item.kind === 'step');
  const counted = steps.length > 0 ? steps : items.filter((item) => item.kind === 'transfer');
  const ended = counted.filter((item) => item.endedAt !== undefined).length;
  const total = Math.max(picture.steps, counted.length);
  const words = { done: ' FINISHED', failed: ' FAILED', cancelled: ' CANCELED' };
  const end = picture.outcome === undefined ? '' : words[picture.outcome];
  return `[+] ${size.title} ${formatSeconds(picture.endedAt ?? size.now)} (${ended}/${total})${end}`;
}

function blockOf(item: Item, size: { readonly columns: number; readonly now: number }): Block {
  if (item.kind === 'note') {
    const text = item.level === 'warning' ? ` => WARNING: ${item.text}` : ` => ${item.text}`;
    const tone = item.level === 'warning' ? 'warning' : 'plain';
    return { lines: [{ text: clip(text, size.columns), tone }], finished: true };
  }
  const took = formatSeconds((item.endedAt ?? size.now) - item.startedAt);
  const [words, tone] = item.kind === 'step' ? stepWords(item) : transferWords(item, size.now);
  const head: FrameLine = { text: justify(words, took, size.columns), tone };
  const logged = item.kind === 'step' && (item.outcome === undefined || item.outcome === 'failed');
  const log = logged ? shownLog(item, size.columns) : [];
  return { lines: [head, ...log], finished: item.endedAt !== undefined && tone !== 'failed' };
}

function shownLog(step: StepItem, columns: number): FrameLine[] {
  const partial = [step.lines.stdout.partial, step.lines.stderr.partial].filter((text) => text !== '');
  const all = [...step.log, ...partial.map((text) => cleanLine(text))].slice(-logLines);
  return all.map((line) => ({ text: clip(` => => # ${line}`, columns), tone: 'dim' }));
}

function stepWords(step: StepItem): [string, FrameLine['tone']] {
  if (step.outcome === 'failed') return [` => ERROR ${step.name}`, 'failed'];
  if (step.outcome === 'cancelled') return [` => CANCELED ${step.name}`, 'warning'];
  if (step.outcome === 'cached') return [` => CACHED ${step.name}`, 'done'];
  return [` => ${step.name}`, step.outcome === 'done' ? 'done' : 'plain'];
}

function transferWords(item: TransferItem, now: number): [string, FrameLine['tone']] {
  if (item.state === 'exists') return [` => ${item.name} exists already`, 'done'];
  if (item.state === 'mounted') return [` => ${item.name} mounted from another repository`, 'done'];
  const total = item.total === undefined ? '' : ` / ${formatBytes(item.total)}`;
  const rate = formatRate(item.done, (item.endedAt ?? now) - item.startedAt);
  const words = ` => ${item.name} ${formatBytes(item.done)}${total}${rate === '' ? '' : ` ${rate}`}`;
  if (item.state === 'failed') return [` => ERROR ${words.slice(4)}`, 'failed'];
  return [words, item.state === 'done' ? 'done' : 'plain'];
}

/** Words at the left, cut where needed, and a time at the right edge. */
function justify(words: string, time: string, columns: number): string {
  const room = columns - widthOf(time) - 1;
  const left = clip(words, room);
  return `${left}${' '.repeat(Math.max(1, columns - widthOf(left) - widthOf(time)))}${time}`;
}

/** Drops finished blocks, oldest first, until the rest fits. */
function choose(blocks: readonly Block[], rows: number): Block[] {
  let count = blocks.reduce((sum, block) => sum + block.lines.length, 0);
  return blocks.filter((block) => {
    if (count <= rows || !block.finished) return true;
    count -= block.lines.length;
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
