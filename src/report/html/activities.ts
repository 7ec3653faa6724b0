import type { Activity } from '../../core/events.ts';
import { html, type Markup } from './markup.ts';
import type { ReportData, Span } from './report-data.ts';
import { activityWords, timeWords } from './step-words.ts';

/** A stretch of time, from and to. */
type Stretch = readonly [number, number];

/** Where a build's time went: when, and for how long, it did each thing. What went on at once counts once of each. */
export function activities({ steps, spans, build: { tookMs } }: ReportData): Markup | undefined {
  const all = [...spans, ...steps.flatMap((step) => step.spans)];
  const kinds = [...new Set(all.map(({ what }) => what))].map((what) => {
    const stretches = merged(all.filter((span) => span.what === what));
    return { what, stretches, ms: stretches.reduce((sum, [from, to]) => sum + to - from, 0) };
  });
  const shown = kinds.filter(({ ms }) => ms >= 1).sort((a, b) => b.ms - a.ms);
  if (shown.length === 0) return undefined;
  return html`<div><h3>Where the time went</h3><table class="paths activities"><tbody>${shown.map(
    ({ what, stretches, ms }) => html`<tr><td>${activityWords[what]}</td>
      <td class="when">${strip(what, stretches, tookMs)}</td>
      <td class="number">${timeWords(ms)}</td>
      <td class="number part">${Math.round((ms / Math.max(1, tookMs)) * 100)} %</td></tr>`,
  )}</tbody></table><p class="none">Several things may go on at once.</p></div>`;
}

/** The build from left to right, and in it the times in which something went on. */
function strip(what: Activity, stretches: readonly Stretch[], tookMs: number): Markup {
  const share = (ms: number): number => Math.round((ms / Math.max(1, tookMs)) * 1000) / 10;
  return html`<svg class="strip ${what}" aria-hidden="true">${joined(stretches, tookMs / 200).map(
    ([from, to]) => html`<rect x="${share(from)}%" width="${Math.max(0.5, share(to - from))}%"/>`,
  )}</svg>`;
}

/** The times in which at least one of the spans was going on, in order. */
function merged(spans: readonly Span[]): Stretch[] {
  const sorted = [...spans].sort((a, b) => a.startedAt - b.startedAt);
  return joined(
    sorted.map(({ startedAt, endedAt }) => [startedAt, endedAt]),
    0,
  );
}

/** Stretches in order, those that overlap or lie nearer than `gap` as one. */
function joined(sorted: readonly Stretch[], gap: number): Stretch[] {
  const found: Stretch[] = [];
  for (const [from, to] of sorted) {
    const last = found.at(-1);
    if (last !== undefined && from <= last[1] + gap)
      found[found.length - 1] = [last[0], Math.max(last[1], to)];
    else found.push([from, to]);
  }
  return found;
}
