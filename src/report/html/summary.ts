import { formatBytes } from '../format.ts';
import { activities } from './activities.ts';
import { html, type Markup, type Piece } from './markup.ts';
import type { BuildFacts, LogText, ReportData, StepReport } from './report-data.ts';
import { snippet } from './snippet.ts';
import { anchorOf, outcomeSigns, timeWords, tookWords } from './step-words.ts';
import { longestChain } from './waits.ts';

const outcomes: Readonly<Record<BuildFacts['outcome'], string>> = {
  done: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
  interrupted: 'interrupted',
  running: 'running',
};

/** Lines of a failed step's log that are shown at once. */
const mostLines = 12;

/** The name of what was built, as people say it. */
export function titleOf({ names, file, target }: BuildFacts): string {
  const name = names[0]?.replace(/^docker\.io\/(library\/)?/, '') ?? file;
  return target === undefined ? name : `${name} (${target})`;
}

/** The top of the page: what was built, and how it ended. */
export function heading({ build }: ReportData): Markup {
  const { outcome, context, file, started, names } = build;
  return html`<h1>${titleOf(build)} <span class="badge ${outcome}">${outcomes[outcome]}</span></h1>
    <p class="from"><code>${file}</code> in <code>${context}</code>${started !== '' && html` · <time datetime="${started}">${started.slice(0, 16).replace('T', ' ')} UTC</time>`}</p>
    ${names.length > 1 && html`<p class="from">also ${names.slice(1).map((name, i) => html`${i > 0 && ', '}<code>${name}</code>`)}</p>`}`;
}

/** The figures, what failed, where the time went. */
export function summary(data: ReportData): Markup {
  return html`<section id="summary" aria-labelledby="summary-title">
    <h2 id="summary-title" class="unseen">Summary</h2>
    ${failure(data)}
    <dl class="figures">${figures(data).map(([name, value, about]) => html`<div><dt>${name}</dt><dd>${value}${about !== undefined && html` <small>${about}</small>`}</dd></div>`)}</dl>
    <div class="columns">${activities(data)}${chain(data)}</div></section>`;
}

function figures({ build, steps, images, warnings }: ReportData): [string, string, Piece?][] {
  const { tookMs, cached, received, sent } = build;
  const bytes = images.reduce((sum, image) => sum + image.bytes, 0);
  const lost = images.reduce((sum, image) => sum + image.lost, 0);
  const share = steps.length === 0 ? 0 : Math.round((cached / steps.length) * 100);
  return [
    ['Took', timeWords(tookMs)],
    ['Steps', String(steps.length), `${cached} cached, ${share} %`],
    ...(bytes > 0
      ? [
          ['Files', formatBytes(bytes), lost > 0 && `${formatBytes(lost)} of it lost`] as [
            string,
            string,
            Piece,
          ],
        ]
      : []),
    ...(received + sent > 0
      ? [['Network', `↓ ${formatBytes(received)}`, `↑ ${formatBytes(sent)}`] as [string, string, Piece]]
      : []),
    ...(warnings.length > 0
      ? [['Warnings', String(warnings.length), html`<a href="#warnings">show</a>`] as [string, string, Piece]]
      : []),
  ];
}

function failure({ build: { error }, steps, sources }: ReportData): Markup | undefined {
  if (error === undefined) return undefined;
  const failed = steps.find(({ outcome }) => outcome === 'failed');
  const last = failed?.log === undefined ? '' : lastLines(failed.log);
  return html`<div class="failure" role="note" aria-label="Failure"><p class="message">${outcomeSigns.failed} ${error.message}</p>
    ${error.hint !== undefined && html`<p class="hint">${error.hint}</p>`}
    ${error.location !== undefined && snippet(error.location, sources)}
    ${last !== '' && html`<pre class="log" tabindex="0" aria-label="the last lines of its log">${last}</pre>`}
    ${failed !== undefined && html`<p><a href="#${anchorOf(failed.id)}">The step that failed, with its log</a></p>`}</div>`;
}

function lastLines({ head, tail }: LogText): string {
  const lines = (tail === '' ? head : tail).trimEnd().split('\n');
  return lines
    .slice(-mostLines)
    .map((line) => line.slice(0, 400))
    .join('\n');
}

/** What to make faster first: the steps that the whole hung on, those that took longest. */
function chain(data: ReportData): Markup | undefined {
  const hung = longestChain(data);
  const slow = hung
    .filter(({ outcome }) => outcome !== 'cached')
    .sort((a, b) => took(b) - took(a))
    .slice(0, 6);
  if (slow.length === 0) return undefined;
  const all = hung.reduce((sum, step) => sum + took(step), 0);
  return html`<div><h3>What the time hung on</h3>
    <table class="paths"><tbody>${slow.map(
      (step) =>
        html`<tr><td class="what"><a href="#${anchorOf(step.id)}">${step.place} <code>${step.text.slice(0, 200)}</code></a></td><td class="number">${tookWords(step)}</td><td class="number part">${Math.round((took(step) / Math.max(1, data.build.tookMs)) * 100)} %</td></tr>`,
    )}</tbody></table>
    <p class="none">Of the longest chain: ${hung.length} steps one after the other, ${timeWords(all)} of ${timeWords(data.build.tookMs)}.</p></div>`;
}

function took({ startedAt, endedAt }: StepReport): number {
  return endedAt - startedAt;
}
