import type { StageShape } from '../../core/events.ts';
import { html, type Markup } from './markup.ts';
import type { ReportData, Span, StepReport } from './report-data.ts';
import { outcomeWords, timeWords } from './step-words.ts';
import { ticksOf, tickWords } from './ticks.ts';
import {
  type Bar,
  barHeight,
  type Place,
  percent,
  spanBar,
  stepBar,
  transferBar,
  waitBar,
} from './timeline-bars.ts';
import { longestChain, stepsOfStage, type Wait, waitsOf } from './waits.ts';

const rowHeight = 26;

/** In percent of the width: a bar stays visible, however short it was. */
const leastWidth = 0.4;

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
  return { x, width, y: row * rowHeight + (rowHeight - barHeight) / 2 };
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
