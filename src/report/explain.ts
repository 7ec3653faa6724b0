import type { BuildEvent, Change, Explanation } from '../core/events.ts';
import { cleanLine } from './clean.ts';
import { formatAge } from './format.ts';

/** A step and why it ran. */
export interface ExplainedStep {
  readonly name: string;
  readonly explanation: Explanation;
}

/** Values longer than this are cut where people read them. */
const MOST_CHARACTERS = 60;

/** Why steps of a build ran, step by step, and how many did not; `nowMs` is what ages are counted from. */
export function renderExplanations(steps: readonly ExplainedStep[], cached: number, nowMs: number): string {
  const blocks = steps.map((step) => blockOf(step, nowMs));
  return [headOf(steps.length, cached), ...blocks].join('\n');
}

/** Collects why steps run, while that is told; its text is for the end of the build. */
export function collectExplanations(): { event(event: BuildEvent): void; text(nowMs: number): string } {
  const names = new Map<string, string>();
  const steps = new Map<string, ExplainedStep>();
  const cached = new Set<string>();
  return {
    event(event) {
      if (event.type === 'step-start') names.set(event.step, event.name);
      if (event.type === 'step-end' && event.outcome === 'cached' && event.key) cached.add(event.step);
      if (event.type !== 'explanation') return;
      const { step, explanation } = event;
      steps.set(step, { name: names.get(step) ?? step, explanation });
    },
    text: (nowMs) => renderExplanations([...steps.values()], cached.size, nowMs),
  };
}

/** One change as a clause: `file src/app.js: content`, `build argument VERSION: 1 → 2`. */
export function renderChange(change: Change): string {
  const { what, name, aspect } = change;
  const subject = cleanLine(name === '' ? what : `${what} ${name}`);
  const words = [aspect === 'name' ? 'renamed' : aspect, howOf(change), valuesOf(change)];
  return `${subject}: ${words.filter((word) => word !== undefined).join(', ')}`;
}

/** Why a step ran, as a clause. */
export function renderReason(
  { reason, prunedAt, changes, with: compared }: Explanation,
  nowMs: number,
): string {
  const since =
    compared === undefined ? '' : ` since build ${compared.build} (${formatAge(compared.at, nowMs)})`;
  switch (reason) {
    case 'asked':
      return 'made again, as was asked (--no-cache)';
    case 'new':
      return 'never built before';
    case 'not-shared':
      return 'never built here, and the remote cache has no record of it';
    case 'failed':
      return `the same as in build ${compared?.build}, which came to no result`;
    case 'pruned':
      return prunedAt === undefined
        ? 'its result is no longer in the store'
        : `its result was pruned on ${dayOf(prunedAt)}`;
    case 'changed':
      return changes.length === 0
        ? `changed${since}; what it was made of then is not kept`
        : `changed${since}:`;
  }
}

function headOf(ran: number, cached: number): string {
  const steps = (count: number) => `${count} ${count === 1 ? 'step' : 'steps'}`;
  if (ran === 0)
    return cached === 0 ? 'No step ran.\n' : `No step ran: ${steps(cached)} came from the cache.\n`;
  const others = cached === 0 ? '' : `; ${cached} came from the cache`;
  return `Why ${steps(ran)} ran${others}:\n`;
}

function blockOf({ name, explanation }: ExplainedStep, nowMs: number): string {
  const { changes, more = 0, advice } = explanation;
  const lines = [
    cleanLine(name.replaceAll('\n', ' ')),
    `  ${renderReason(explanation, nowMs)}`,
    ...changes.map((change) => `    ${renderChange(change)}`),
    ...(more > 0 ? [`    and ${more} more`] : []),
    ...advice.map((sentence) => `  hint: ${cleanLine(sentence)}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** What happened to it, where its values do not say that. */
function howOf({ what, how, aspect, before, after }: Change): string | undefined {
  if (what === 'layer below')
    return { changed: 'made anew', added: 'a step that is new', removed: 'a step that is gone' }[how];
  if (how !== 'changed') return how;
  return aspect === undefined && before === undefined && after === undefined ? 'changed' : undefined;
}

function valuesOf({ how, aspect, before, after }: Change): string | undefined {
  if (aspect === 'name') return `was ${shown(before)}`;
  if (how === 'added') return after === undefined ? undefined : shown(after);
  if (how === 'removed') return before === undefined ? undefined : `was ${shown(before)}`;
  return before === undefined && after === undefined ? undefined : `${shown(before)} → ${shown(after)}`;
}

/** Digests by their beginning, as docker shows them. */
function shown(value: string | undefined): string {
  if (value === undefined) return 'none';
  if (value === '') return '""';
  const short = cleanLine(value.replaceAll('\n', ' ')).replaceAll(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1');
  return short.length > MOST_CHARACTERS ? `${short.slice(0, MOST_CHARACTERS - 1)}…` : short;
}

function dayOf(iso: string): string {
  return cleanLine(iso).slice(0, 19).replace('T', ' ').concat(' UTC');
}
