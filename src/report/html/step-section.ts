import type { StageShape } from '../../core/events.ts';
import { formatBytes } from '../format.ts';
import { explanation } from './explanation.ts';
import { layerTree } from './layer-tree.ts';
import { html, type Markup } from './markup.ts';
import type { LogText, ReportData, StepReport } from './report-data.ts';
import { snippet } from './snippet.ts';
import { activityWords, anchorOf, outcomeSigns, outcomeWords, timeWords, tookWords } from './step-words.ts';
import { stepsOfStage, type Wait, waitsOf } from './waits.ts';

/** What steps are shown with: room in the page is shared among them. */
interface Around {
  readonly data: ReportData;
  readonly logs: ReadonlyMap<string, LogText>;
  readonly waits: ReadonlyMap<string, Wait>;
  /** Rows that each layer's tree may have. */
  readonly rows: number;
  readonly longestMs: number;
}

/** Each step by its stage, closed: how it ended, its time and size; inside, all that is known of it. */
export function stepSection(data: ReportData, room: Pick<Around, 'logs' | 'rows'>): Markup {
  const waits = new Map(waitsOf(data).map((wait) => [wait.step, wait]));
  const longestMs = Math.max(1, ...data.steps.map(({ startedAt, endedAt }) => endedAt - startedAt));
  const around = { data, waits, longestMs, ...room };
  const stages = data.stages.filter((stage) => stepsOfStage(data.steps, stage).length > 0);
  return html`<section id="steps" aria-labelledby="steps-title">
    <h2 id="steps-title">Steps <span class="count" id="count" role="status">${data.steps.length}</span></h2>
    ${controls(data)}
    ${stages.map((stage) => stageGroup(stage, around))}
    </section>`;
}

/** Of use to a script only, which shows them. */
function controls({ steps }: ReportData): Markup {
  const outcomes = [...new Set(steps.map(({ outcome }) => outcome))];
  const choice = (value: string, words: string): Markup =>
    html`<label><input type="radio" name="outcome" value="${value}"${value === '' && html` checked`}/> ${words}</label>`;
  return html`<form id="controls" class="controls" hidden>
    <label class="search"><span class="unseen">Find steps</span><input type="search" id="find" placeholder="Find in steps and logs"/></label>
    ${outcomes.length > 1 && html`<fieldset><legend class="unseen">Outcome</legend>${choice('', 'all')}${outcomes.map((outcome) => choice(outcome, outcomeWords[outcome]))}</fieldset>`}
    <span class="buttons"><button type="button" id="open-all">Open all</button><button type="button" id="close-all">Close all</button></span></form>`;
}

function stageGroup(stage: StageShape, around: Around): Markup {
  const { data } = around;
  const platforms = new Set(data.stages.map(({ platform }) => platform));
  return html`<div class="stage"><h3>${stage.name} <small>from ${stage.base}${platforms.size > 1 && ` for ${stage.platform}`}</small></h3>
    ${stepsOfStage(data.steps, stage).map((step) => stepDetails(step, around))}</div>`;
}

function stepDetails(step: StepReport, around: Around): Markup {
  const { id, place, text, outcome } = step;
  const isOpen = outcome === 'failed';
  return html`<details class="step ${outcome}" id="${anchorOf(id)}" data-outcome="${outcome}"${isOpen && html` open`}>
    <summary><span class="sign" role="img" aria-label="${outcomeWords[outcome]}">${outcomeSigns[outcome]}</span>
    <span class="place">${place.split(' ').at(-1)}</span> <code class="what">${text.slice(0, 300)}</code>
    <span class="size">${step.bytes !== undefined && formatBytes(step.bytes)}</span>
    ${timeBar(step, around.longestMs)} <span class="time">${outcome === 'cached' ? 'cached' : tookWords(step)}</span></summary>
    <div class="inside">${inside(step, around)}</div></details>`;
}

function timeBar({ startedAt, endedAt }: StepReport, longestMs: number): Markup {
  const width = Math.round(((endedAt - startedAt) / longestMs) * 1000) / 10;
  return html`<svg class="time-bar" width="60" height="6" aria-hidden="true"><rect width="${width}%" height="6" rx="2"/></svg>`;
}

function inside(step: StepReport, { data, logs, waits, rows }: Around): Markup {
  const { location, error, explanation: why, tree, id } = step;
  const log = logs.get(id);
  return html`${error !== undefined && html`<p class="message">${outcomeSigns.failed} ${error}</p>`}
    <p class="times">${timesOf(step, waits.get(id))}</p>
    ${location !== undefined && snippet(location, data.sources)}
    ${why !== undefined && step.outcome !== 'cached' && html`<h4>Why it was not from the cache</h4>${explanation(why)}`}
    ${log !== undefined && logOf(log, step, data)}
    ${tree !== undefined && html`<h4>Layer <small>${tree.files} file${tree.files === 1 ? '' : 's'}, ${formatBytes(tree.bytes)}${tree.lost > 0 && html`, of which ${formatBytes(tree.lost)} are overwritten or deleted later`}</small></h4>${layerTree(tree, rows)}`}
    ${step.diffId !== undefined && html`<p class="id"><code>${step.diffId}</code></p>`}`;
}

function timesOf(step: StepReport, wait: Wait | undefined): Markup {
  const on = wait?.on === undefined ? '' : ` for ${wait.on.name}`;
  const sums = new Map<string, number>();
  for (const { what, startedAt, endedAt } of step.spans)
    sums.set(activityWords[what], (sums.get(activityWords[what]) ?? 0) + endedAt - startedAt);
  const parts = [...sums].filter(([, ms]) => ms >= 1).map(([what, ms]) => `${what} ${timeWords(ms)}`);
  const began = step.startedAt < 1 ? 'Began at once' : `Began after ${timeWords(step.startedAt)}`;
  return html`${began}${wait !== undefined && html`, having waited ${tookWords(wait)}${on}`}; took ${tookWords(step)}${parts.length > 0 && html` (${parts.join(', ')})`}.`;
}

function logOf({ head, tail, hidden }: LogText, { id }: StepReport, { build }: ReportData): Markup {
  const cut =
    hidden > 0 &&
    html`<span class="cut">… ${formatBytes(hidden)} are not shown: tsbuild logs ${build.id} ${id}</span>${'\n'}`;
  return html`<h4>Log</h4><pre class="log" tabindex="0" aria-label="log">${head}${head !== '' && tail !== '' && '\n'}${cut}${tail}</pre>`;
}
