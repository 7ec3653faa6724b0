import { formatBytes } from '../format.ts';
import { html, type Markup } from './markup.ts';
import type { Span, StepReport, TransferReport } from './report-data.ts';
import { activityWords, anchorOf, outcomeSigns, outcomeWords, tookWords } from './step-words.ts';
import type { Wait } from './waits.ts';

/** Something on a lane: `at` says where. */
export interface Bar {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly markup: (at: Place) => Markup;
}

/** Where a bar is: along the lane in percent of it, across in pixels. */
export interface Place {
  readonly x: number;
  readonly width: number;
  readonly y: number;
}

/** In pixels. */
export const barHeight = 20;

/** In percent: what is narrower has no room for words. */
const narrow = 3.5;

/** A step, which leads to all that is known of it; `isHung`: it is of the longest chain. */
export function stepBar(step: StepReport, isHung: boolean): Bar {
  const { id, place, text, outcome, spans } = step;
  const words = `${place}: ${outcomeWords[outcome]}, ${tookWords(step)}`;
  const sign = outcome === 'done' || outcome === 'cached' ? '' : `${outcomeSigns[outcome]} `;
  const waiting = spans.filter(({ what }) => what === 'wait').map((span) => waitInside(span, step));
  return {
    ...step,
    markup: ({ x, y, width }) => html`<a href="#${anchorOf(id)}">
      <svg class="bar ${outcome}" x="${x}%" y="${y}" width="${width}%" height="${barHeight}">
      <title>${`${words}\n${text.slice(0, 200)}`}</title><rect width="100%" height="100%" rx="3"/>${waiting}
      ${isHung && html`<rect class="under" width="100%" y="17" height="3"/>`}
      ${labelled(width, `${sign}${text}`)}</svg></a>`,
  };
}

/** Time in which a stage had nothing to do. */
export function waitBar(wait: Wait): Bar {
  const words = wait.on === undefined ? 'waited' : `waited for ${wait.on.name}`;
  return {
    ...wait,
    markup: ({
      x,
      y,
      width,
    }) => html`<svg class="gap" x="${x}%" y="${y}" width="${width}%" height="${barHeight}" role="img" aria-label="${words}, ${tookWords(wait)}">
      <title>${words}, ${tookWords(wait)}</title><rect width="100%" height="100%"/>
      <line x1="0" x2="100%" y1="14" y2="14"/>${wait.on !== undefined && labelled(width, `waits for ${wait.on.name}`, 9)}</svg>`,
  };
}

/** Bytes on their way. */
export function transferBar(transfer: TransferReport): Bar {
  const ways = { in: '↓ ', out: '↑ ' };
  const way = transfer.way === undefined ? '' : ways[transfer.way];
  const state = transfer.state === 'done' || transfer.state === 'running' ? '' : ` (${transfer.state})`;
  const kind = transfer.state === 'failed' ? 'failed' : 'moved';
  return plainBar(transfer, `${way}${transfer.name} ${formatBytes(transfer.bytes)}${state}`, kind);
}

/** Time of the build that belongs to no step. */
export function spanBar(span: Span): Bar {
  return plainBar(span, activityWords[span.what], `span ${span.what}`);
}

/** A time as a share of another one, in percent. */
export function percent(ms: number, tookMs: number): number {
  return round((Math.max(0, ms) / Math.max(1, tookMs)) * 100);
}

/** Within a step: time in which it waited for a free place or another build. */
function waitInside({ startedAt, endedAt }: Span, step: StepReport): Markup {
  const took = step.endedAt - step.startedAt;
  const x = percent(startedAt - step.startedAt, took);
  return html`<rect class="held" x="${x}%" y="15" width="${percent(endedAt - startedAt, took)}%" height="5"/>`;
}

function plainBar(time: Pick<Bar, 'startedAt' | 'endedAt'>, words: string, kind: string): Bar {
  return {
    startedAt: time.startedAt,
    endedAt: time.endedAt,
    markup: ({
      x,
      y,
      width,
    }) => html`<svg class="bar ${kind}" x="${x}%" y="${y}" width="${width}%" height="${barHeight}" role="img" aria-label="${words}, ${tookWords(time)}">
      <title>${words}, ${tookWords(time)}</title><rect width="100%" height="100%" rx="3"/>
      ${labelled(width, words)}</svg>`,
  };
}

/** Words that begin on a bar; on a narrow one there are none. */
function labelled(width: number, words: string, y = 14): Markup | undefined {
  return width < narrow ? undefined : html`<text x="6" y="${y}">${words.slice(0, 120)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
