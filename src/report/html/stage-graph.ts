import { clip } from '../width.ts';
import { html, type Markup } from './markup.ts';
import type { ReportData, StepReport } from './report-data.ts';
import { layOut, type StageLine, type StagePlace } from './stage-layout.ts';
import { anchorOf, outcomeSigns, timeWords } from './step-words.ts';
import { stepsOfStage } from './waits.ts';

const box = { width: 168, height: 46, across: 56, below: 16 };

/** What is built from what: stages from left to right, each right of all that it reads. Nothing for a single one. */
export function stageGraph({ stages, steps }: ReportData): Markup | undefined {
  if (stages.length < 2) return undefined;
  const { places, lines, columns, rows } = layOut(stages);
  const several = new Set(stages.map(({ platform }) => platform)).size > 1;
  const width = columns * (box.width + box.across) - box.across + 2;
  const height = rows * (box.height + box.below) - box.below + 2;
  return html`<section id="stages" aria-labelledby="stages-title">
    <h2 id="stages-title">Stages</h2>
    <p class="none">A full line: builds on it. A broken one: reads files of it.</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Stage graph">
    <svg class="graph" width="${width}" height="${height}" viewBox="-1 -1 ${width} ${height}" role="group" aria-label="${stages.length} stages">
    ${lines.map(line)}
    ${places.map((place) => nodeOf(place, stepsOfStage(steps, place.stage), several))}
    </svg></div></section>`;
}

/** From the right side of one to the left side of the other, level where it goes past a column. */
function line({ from, to, bends }: StageLine): Markup {
  const kind = to.stage.base === from.stage.name ? 'edge base' : 'edge';
  const ways = [...bends, to].map((bend, i) => {
    const before = [from, ...bends][i]!;
    const [x, y] = [leftOf(before) + box.width, middleOf(before)];
    const [endX, endY] = [leftOf(bend), middleOf(bend)];
    const half = (x + endX) / 2;
    const level = i < bends.length ? `H${endX + box.width}` : '';
    return `C${half} ${y} ${half} ${endY} ${endX} ${endY}${level}`;
  });
  return html`<path class="${kind}" d="M${leftOf(from) + box.width} ${middleOf(from)}${ways.join('')}"/>`;
}

function leftOf({ column }: { readonly column: number }): number {
  return column * (box.width + box.across);
}

function topOf({ row }: { readonly row: number }): number {
  return row * (box.height + box.below);
}

function middleOf(place: { readonly row: number }): number {
  return topOf(place) + box.height / 2;
}

function nodeOf(place: StagePlace, steps: readonly StepReport[], withPlatform: boolean): Markup {
  const { stage } = place;
  const worst = worstOf(steps);
  const words = `${stage.name}: ${aboutSteps(steps)}`;
  const about = steps.length === 0 ? stage.base : aboutSteps(steps);
  const platform = withPlatform ? `${stage.platform.replace(/^linux\//, '')}, ` : '';
  const inside = html`<title>${words}, from ${stage.base}, ${stage.platform}</title>
    <rect width="${box.width}" height="${box.height}" rx="6"/>
    <text x="12" y="19" class="name">${sign(worst)}${clip(stage.name, 18)}</text>
    <text x="12" y="36" class="about">${clip(`${platform}${about}`, 26)}</text>`;
  const first = steps[0];
  const node = html`<svg class="node ${worst}" x="${leftOf(place)}" y="${topOf(place)}" width="${box.width}" height="${box.height}" overflow="visible">${inside}</svg>`;
  return first === undefined
    ? html`<g role="img" aria-label="${words}">${node}</g>`
    : html`<a href="#${anchorOf(first.id)}">${node}</a>`;
}

function sign(worst: ReturnType<typeof worstOf>): string {
  return worst === 'failed' || worst === 'cancelled' || worst === 'interrupted'
    ? `${outcomeSigns[worst]} `
    : '';
}

/** What a stage as a whole came to. */
function worstOf(steps: readonly StepReport[]): StepReport['outcome'] | 'idle' {
  const order = ['failed', 'interrupted', 'cancelled', 'done', 'cached'] as const;
  return order.find((outcome) => steps.some((step) => step.outcome === outcome)) ?? 'idle';
}

function aboutSteps(steps: readonly StepReport[]): string {
  if (steps.length === 0) return 'no steps';
  const cached = steps.filter(({ outcome }) => outcome === 'cached').length;
  const worked = steps.reduce((sum, { startedAt, endedAt }) => sum + endedAt - startedAt, 0);
  const count = `${steps.length} step${steps.length === 1 ? '' : 's'}`;
  return `${count}${cached > 0 ? `, ${cached} cached` : ''}, ${timeWords(worked)}`;
}
