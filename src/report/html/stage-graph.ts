import type { StageShape } from '../../core/events.ts';
import { clip } from '../width.ts';
import { html, type Markup } from './markup.ts';
import type { ReportData, StepReport } from './report-data.ts';
import { anchorOf, outcomeSigns, timeWords } from './step-words.ts';
import { stepsOfStage } from './waits.ts';

interface Node {
  readonly stage: StageShape;
  readonly x: number;
  readonly y: number;
}

const box = { width: 168, height: 46, across: 56, below: 16 };

/** What is built from what: stages from left to right, each right of all that it reads. Nothing for a single one. */
export function stageGraph({ stages, steps }: ReportData): Markup | undefined {
  if (stages.length < 2) return undefined;
  const nodes = laidOut(stages);
  const width = Math.max(...nodes.map(({ x }) => x)) + box.width + 2;
  const height = Math.max(...nodes.map(({ y }) => y)) + box.height + 2;
  return html`<section id="stages" aria-labelledby="stages-title">
    <h2 id="stages-title">Stages</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Stage graph">
    <svg class="graph" width="${width}" height="${height}" viewBox="-1 -1 ${width} ${height}" role="group" aria-label="${stages.length} stages">
    ${nodes.flatMap((node) => edgesTo(node, nodes))}
    ${nodes.map((node) => nodeOf(node, stepsOfStage(steps, node.stage)))}
    </svg></div></section>`;
}

/** Columns by the longest way from a stage that reads none; within one near to what is read. */
function laidOut(stages: readonly StageShape[]): Node[] {
  const columnOf = columnsOf(stages);
  const rows = new Map<string, number>();
  const last = Math.max(...columnOf.values());
  const nodes: Node[] = [];
  for (let column = 0; column <= last; column++) {
    const here = stages.filter(({ id }) => columnOf.get(id) === column);
    const wished = here.map((stage) => ({ stage, row: wishedRow(stage, rows) }));
    wished.sort((a, b) => a.row - b.row);
    let free = 0;
    for (const { stage, row } of wished) {
      const y = Math.max(free, row);
      free = y + 1;
      rows.set(stage.id, y);
      nodes.push({ stage, x: column * (box.width + box.across), y: y * (box.height + box.below) });
    }
  }
  return nodes;
}

function columnsOf(stages: readonly StageShape[]): Map<string, number> {
  const columns = new Map<string, number>();
  const columnOf = (id: string, way: readonly string[]): number => {
    const known = columns.get(id);
    if (known !== undefined) return known;
    const needs = stages.find((stage) => stage.id === id)?.needs ?? [];
    const read = needs.filter((need) => !way.includes(need) && stages.some((stage) => stage.id === need));
    const column = Math.max(-1, ...read.map((need) => columnOf(need, [...way, id]))) + 1;
    columns.set(id, column);
    return column;
  };
  for (const { id } of stages) columnOf(id, [id]);
  return columns;
}

/** In the middle of what it reads. */
function wishedRow({ needs }: StageShape, rows: ReadonlyMap<string, number>): number {
  const read = needs.flatMap((id) => rows.get(id) ?? []);
  return read.length === 0 ? 0 : Math.floor(read.reduce((sum, row) => sum + row, 0) / read.length);
}

function edgesTo({ stage, x, y }: Node, nodes: readonly Node[]): Markup[] {
  const middle = y + box.height / 2;
  return nodes
    .filter((from) => stage.needs.includes(from.stage.id))
    .map((from) => {
      const [startX, startY] = [from.x + box.width, from.y + box.height / 2];
      const bend = (x - startX) / 2;
      const kind = stage.base === from.stage.name ? 'edge base' : 'edge';
      return html`<path class="${kind}" d="M${startX} ${startY}C${startX + bend} ${startY} ${x - bend} ${middle} ${x} ${middle}"/>`;
    });
}

function nodeOf({ stage, x, y }: Node, steps: readonly StepReport[]): Markup {
  const worst = worstOf(steps);
  const words = `${stage.name}: ${aboutSteps(steps)}`;
  const inside = html`<title>${words}, from ${stage.base}, ${stage.platform}</title>
    <rect width="${box.width}" height="${box.height}" rx="6"/>
    <text x="12" y="19" class="name">${sign(worst)}${clip(stage.name, 18)}</text>
    <text x="12" y="36" class="about">${steps.length === 0 ? clip(stage.base, 24) : aboutSteps(steps)}</text>`;
  const first = steps[0];
  const node = html`<svg class="node ${worst}" x="${x}" y="${y}" width="${box.width}" height="${box.height}" overflow="visible">${inside}</svg>`;
  return first === undefined
    ? html`<g role="img" aria-label="${words}">${node}</g>`
    : html`<a href="#${anchorOf(first.id)}" aria-label="${words}">${node}</a>`;
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
