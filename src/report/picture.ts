import type { BuildEvent } from '../core/events.ts';
import { cleanLine, Lines } from './clean.ts';
import { Summary } from './summary.ts';

type Of<T extends BuildEvent['type']> = Extract<BuildEvent, { type: T }>;

/** What is known of a build, folded from its events. */
export interface Picture {
  readonly items: Map<string, Item>;
  /** Steps of each stage, as far as it is known. */
  readonly stages: Map<string, number>;
  readonly summary: Summary;
  endedAt: number | undefined;
  outcome: 'done' | 'failed' | 'cancelled' | undefined;
}

export type Item = StepItem | TransferItem | NoteItem;

export interface StepItem {
  readonly kind: 'step';
  readonly name: string;
  /** Id of its stage. */
  readonly stage: string;
  readonly startedAt: number;
  readonly lines: Record<'stdout' | 'stderr', Lines>;
  /** The last lines of its log, as they came. */
  readonly log: string[];
  endedAt: number | undefined;
  outcome: 'done' | 'cached' | 'failed' | 'cancelled' | undefined;
}

export interface TransferItem {
  readonly kind: 'transfer';
  readonly name: string;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly done: number;
  readonly total: number | undefined;
  readonly state: 'running' | 'done' | 'exists' | 'mounted' | 'failed';
}

export interface NoteItem {
  readonly kind: 'note';
  readonly level: 'info' | 'warning';
  readonly text: string;
  /** A warning stands under the picture, in full, once the build has ended. */
  readonly detail: string | undefined;
}

/** Log lines shown under a running step, at most. */
export const LOG_LINES = 6;

export function emptyPicture(): Picture {
  return {
    items: new Map(),
    stages: new Map(),
    summary: new Summary(),
    endedAt: undefined,
    outcome: undefined,
  };
}

/** Takes an event into the picture. */
export function addEvent(picture: Picture, event: BuildEvent): void {
  picture.summary.add(event);
  if (event.type === 'graph') for (const { id, steps } of event.stages) picture.stages.set(id, steps.length);
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

/** The lines at the end of a step's log, an unended one included, fit to be shown. */
export function tailOf(step: StepItem): string[] {
  const partial = [step.lines.stdout.partial, step.lines.stderr.partial].filter((text) => text !== '');
  return [...step.log, ...partial].slice(-LOG_LINES).map((line) => cleanLine(line));
}

function addStep(picture: Picture, event: Of<'step-start'>): void {
  picture.items.set(`step ${event.step}`, {
    kind: 'step',
    name: cleanLine(event.name),
    stage: event.step.slice(0, event.step.lastIndexOf('/')),
    startedAt: event.at,
    lines: { stdout: new Lines(), stderr: new Lines() },
    log: [],
    endedAt: undefined,
    outcome: undefined,
  });
}

function addLog(picture: Picture, event: Of<'step-log'>): void {
  const step = picture.items.get(`step ${event.step}`);
  if (step?.kind === 'step') keep(step, step.lines[event.stream].add(event.text));
}

/** Of whole lines only the last ones are looked at: there may be many. */
function keep(step: StepItem, lines: string): void {
  let from = lines.length;
  for (let i = 0; i <= LOG_LINES && from > 0; i++) from = lines.lastIndexOf('\n', from - 1);
  const last = lines
    .slice(from + 1)
    .split('\n')
    .slice(0, -1);
  step.log.push(...last);
  step.log.splice(0, step.log.length - LOG_LINES);
}

function endStep(picture: Picture, event: Of<'step-end'>): void {
  const step = picture.items.get(`step ${event.step}`);
  if (step?.kind !== 'step') return;
  for (const stream of ['stdout', 'stderr'] as const) keep(step, step.lines[stream].end());
  step.endedAt = event.at;
  step.outcome = event.outcome;
}

function addTransfer(picture: Picture, event: Of<'transfer'>): void {
  const key = `transfer ${event.id}`;
  const known = picture.items.get(key);
  const before = known?.kind === 'transfer' ? known : undefined;
  picture.items.set(key, {
    kind: 'transfer',
    name: cleanLine(event.name),
    startedAt: before?.startedAt ?? event.at,
    endedAt: event.state === 'running' ? undefined : event.at,
    done: event.done,
    total: event.total ?? before?.total,
    state: event.state,
  });
}

function addNote(picture: Picture, event: Of<'note'>): void {
  const { location, hint } = event;
  const where = location === undefined ? '' : ` (${location.file}:${location.startLine})`;
  const detail = event.level === 'warning' ? `${event.text}${where}${hint ? `\n${hint}` : ''}` : undefined;
  const text = cleanLine(event.text.replaceAll('\n', ' '));
  picture.items.set(`note ${picture.items.size}`, { kind: 'note', level: event.level, text, detail });
}
