import type { StageShape } from '../../core/events.ts';
import { formatBytes } from '../format.ts';
import { html, type Markup } from './markup.ts';
import type { ReportData, Span, StepReport, TransferReport } from './report-data.ts';
import { activityWords, anchorOf, outcomeSigns, outcomeWords, timeWords, tookWords } from './step-words.ts';
import { ticksOf, tickWords } from './ticks.ts';
import { longestChain, stepsOfStage, type Wait, waitsOf } from './waits.ts';

/** Something on a lane: `at` says where. */
interface Bar {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly markup: (at: Place) => Markup;
}

/** Where a bar is: along the lane in percent of it, across in pixels. */
interface Place {
  readonly x: number;
  readonly width: number;
  readonly y: number;
}

const rowHeight = 26;
const barHeight = 20;

/** In percent of the width: a bar stays visible, however short it was. */
const leastWidth = 0.4;

/** In percent: what is narrower has no room for words. */
const narrow = 3.5;

/** Who ran when, and on what it waited: a lane a stage, and lanes for what belongs to none. */
export function timeline(data: ReportData): Markup {
  const { tookMs } = data.build;
  const waits = waitsOf(data);
  const hung = new Set(longestChain(data).map(({ id }) => id));
  const stages = data.stages.filter((stage) => stepsOfStage(data.steps, stage).length > 0);
  const lanes = [
    ...stages.map((stage) => ({
      ...{ name: stage.name, about: aboutStage(stage, data) },
      bars: barsOf(stage, { steps: data.steps, waits, hung }),
    })),
    { name: 'transfers', about: '', bars: data.transfers.map(transferBar) },
    { name: 'output', about: 'of no single step', bars: ofNoTransfer(data.spans).map(spanBar) },
  ];
  return html`<section id="timeline" aria-labelledby="timeline-title">
    <h2 id="timeline-title">Timeline</h2>
    ${legend(data, waits)}
    <div class="lanes" data-walk>
    ${axis(tookMs)}
    ${lanes.filter(({ bars }) => bars.length > 0).map((lane) => laneOf(lane, tookMs))}
    </div></section>`;
}

/** Transfers have a lane of their own. */
function ofNoTransfer(spans: readonly Span[]): readonly Span[] {
  return spans.filter(({ what }) => what !== 'transfer');
}

function legend({ steps }: ReportData, waits: readonly Wait[]): Markup {
  const outcomes = [...new Set(steps.map(({ outcome }) => outcome))];
  const entry = (key: Markup, words: string): Markup =>
    html`<li><svg width="16" height="14" aria-hidden="true">${key}</svg> ${words}</li>`;
  const bar = (kind: string): Markup =>
    html`<g class="bar ${kind}"><rect x="1" y="1" width="14" height="12" rx="3"/></g>`;
  return html`<ul class="legend">
    ${outcomes.map((outcome) => entry(bar(outcome), outcomeWords[outcome]))}
    ${waits.length > 0 && entry(html`<path class="gap" d="M0 7H16"/>`, 'waiting')}
    ${entry(html`<g class="bar done"><rect x="1" y="1" width="14" height="12" rx="3"/><rect class="under" x="1" y="10" width="14" height="3"/></g>`, 'of the longest chain')}
    </ul>`;
}

function axis(tookMs: number): Markup {
  return html`<div class="lane axis" aria-hidden="true"><div></div><svg width="100%" height="18">
    ${ticksOf(tookMs).map(
      (at) =>
        html`<text x="${percent(at, tookMs)}%" y="13"${at > 0 && html` class="tick"`}>${tickWords(at)}</text>`,
    )}</svg></div>`;
}

function laneOf(
  { name, about, bars }: { readonly name: string; readonly about: string; readonly bars: readonly Bar[] },
  tookMs: number,
): Markup {
  const rows = rowsOf(bars);
  const height = (Math.max(...rows) + 1) * rowHeight;
  return html`<div class="lane"><div class="who"><b>${name}</b> <small>${about}</small></div>
    <svg width="100%" height="${height}" role="group" aria-label="${name}">
    ${ticksOf(tookMs).map((at) => {
      const x = `${percent(at, tookMs)}%`;
      return html`<line class="grid" x1="${x}" x2="${x}" y1="0" y2="${height}"/>`;
    })}
    ${bars.map((bar, i) => bar.markup(placeOf(bar, rows[i]!, tookMs)))}
    </svg></div>`;
}

/** The row of each bar: the first in which it overlaps none that began before. */
function rowsOf(bars: readonly Bar[]): number[] {
  const ends: number[] = [];
  const order = bars.map((bar, i) => ({ bar, i })).sort((a, b) => a.bar.startedAt - b.bar.startedAt);
  const rows: number[] = [];
  for (const { bar, i } of order) {
    const free = ends.findIndex((end) => end <= bar.startedAt);
    const row = free < 0 ? ends.length : free;
    ends[row] = bar.endedAt;
    rows[i] = row;
  }
  return rows;
}

function placeOf({ startedAt, endedAt }: Bar, row: number, tookMs: number): Place {
  const width = Math.max(leastWidth, percent(endedAt - startedAt, tookMs));
  const x = Math.min(percent(startedAt, tookMs), 100 - width);
  return { x: round(x), width: round(width), y: row * rowHeight + (rowHeight - barHeight) / 2 };
}

function percent(ms: number, tookMs: number): number {
  return round((Math.max(0, ms) / Math.max(1, tookMs)) * 100);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function aboutStage(stage: StageShape, { steps, stages }: ReportData): string {
  const own = stepsOfStage(steps, stage);
  const began = Math.min(...own.map(({ startedAt }) => startedAt));
  const took = timeWords(Math.max(...own.map(({ endedAt }) => endedAt)) - began);
  const platforms = new Set(stages.map(({ platform }) => platform));
  return platforms.size > 1 ? `${stage.platform}, ${took}` : took;
}

interface Around {
  readonly steps: readonly StepReport[];
  readonly waits: readonly Wait[];
  /** Ids of the steps of the longest chain. */
  readonly hung: ReadonlySet<string>;
}

function barsOf(stage: StageShape, { steps, waits, hung }: Around): Bar[] {
  const own = stepsOfStage(steps, stage);
  const ids = new Set(own.map(({ id }) => id));
  const waited = waits.filter(({ step }) => ids.has(step));
  return [...waited.map(waitBar), ...own.map((step) => stepBar(step, hung.has(step.id)))];
}

function stepBar(step: StepReport, isHung: boolean): Bar {
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

/** Within a step: time in which it waited for a free place or another build. */
function waitInside({ startedAt, endedAt }: Span, step: StepReport): Markup {
  const took = step.endedAt - step.startedAt;
  const x = percent(startedAt - step.startedAt, took);
  return html`<rect class="held" x="${x}%" y="15" width="${percent(endedAt - startedAt, took)}%" height="5"/>`;
}

function waitBar(wait: Wait): Bar {
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

function transferBar(transfer: TransferReport): Bar {
  const ways = { in: '↓ ', out: '↑ ' };
  const way = transfer.way === undefined ? '' : ways[transfer.way];
  const state = transfer.state === 'done' || transfer.state === 'running' ? '' : ` (${transfer.state})`;
  const kind = transfer.state === 'failed' ? 'failed' : 'moved';
  return plainBar(transfer, `${way}${transfer.name} ${formatBytes(transfer.bytes)}${state}`, kind);
}

function spanBar(span: Span): Bar {
  return plainBar(span, activityWords[span.what], `span ${span.what}`);
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
