import type { BuildEvent, Change, Explanation } from '../core/events.ts';
import { cleanLine } from './clean.ts';
import { clip } from './width.ts';

/** A step and why it ran. */
export interface ExplainedStep {
  readonly name: string;
  readonly explanation: Explanation;
}

/** Values longer than this are cut where people read them. */
const MOST_CHARACTERS = 60;

/** So many characters of what two long values begin with alike are shown before the place where they differ. */
const ALIKE_CHARACTERS = 16;

/** Why steps of a build ran, step by step, and how many did not. The names of steps are cut to `columns`. */
export function renderExplanations(
  steps: readonly ExplainedStep[],
  cached: number,
  columns?: number,
): string {
  const builds = new Set(steps.flatMap(({ explanation }) => comparedWith(explanation) ?? []));
  const [only] = builds.size === 1 ? builds : [];
  const blocks = steps.map(({ name, explanation }) => {
    const title = clip(oneLine(name), columns ?? Number.POSITIVE_INFINITY);
    return blockOf({ name: title, explanation }, only === undefined);
  });
  return [headOf(steps.length, cached, only), ...blocks].join('\n');
}

/** Collects why steps run, while that is told; its text is for the end of the build, empty where that came to no step. */
export function collectExplanations(): {
  event(event: BuildEvent): void;
  text(columns?: number): string;
} {
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
    text: (columns) =>
      steps.size + cached.size === 0
        ? ''
        : `\n${renderExplanations([...steps.values()], cached.size, columns)}`,
  };
}

/** Why a step ran, as clauses: the reason, or each change; where `dated`, below the build that it was compared with. */
export function renderExplanation(explanation: Explanation, dated = true): string[] {
  const { reason, changes, more = 0 } = explanation;
  const compared = comparedWith(explanation);
  const head = reason === 'changed' && dated && compared !== undefined ? [compared] : [];
  const clauses = changes.length > 0 ? changes.map(renderChange) : [renderReason(explanation)];
  return [...head, ...clauses, ...(more > 0 ? [`and ${more} more`] : [])];
}

/** One change as a clause: `file src/app.js: content`, `build argument VERSION: 1 → 2`. */
export function renderChange(change: Change): string {
  const { what, name, aspect } = change;
  const subject = oneLine(name === '' ? what : `${what} ${name}`);
  const words = [aspect === 'name' ? 'renamed' : aspect, howOf(change), valuesOf(change)];
  return `${subject}: ${words.filter((word) => word !== undefined).join(', ')}`;
}

function renderReason({ reason, prunedAt, with: compared }: Explanation): string {
  switch (reason) {
    case 'asked':
      return 'made again, as was asked (--no-cache)';
    case 'new':
      return 'never built before';
    case 'not-shared':
      return 'never built here, and the remote cache has no record of it';
    case 'failed':
      return `the same as in build ${compared?.build}, where it came to no result`;
    case 'pruned':
      return prunedAt === undefined
        ? 'its result is no longer in the store'
        : `pruned on ${timeOf(prunedAt)}`;
    case 'changed':
      return 'changed; what it was made of before is not kept any more';
  }
}

function comparedWith({ reason, with: compared }: Explanation): string | undefined {
  if (reason !== 'changed' || compared === undefined) return undefined;
  return `compared with build ${cleanLine(compared.build)}`;
}

function headOf(ran: number, cached: number, compared: string | undefined): string {
  const steps = (count: number) => `${count} ${count === 1 ? 'step' : 'steps'}`;
  if (ran === 0) return `No step ran${cached === 0 ? '' : `: ${steps(cached)} came from the cache`}.\n`;
  const others = cached === 0 ? '' : ` and ${cached} came from the cache`;
  return `Why ${steps(ran)} ran${others}${compared === undefined ? '' : `, ${compared}`}:\n`;
}

function blockOf({ name, explanation }: ExplainedStep, dated: boolean): string {
  const lines = [
    name,
    ...renderExplanation(explanation, dated).map((clause) => `  ${clause}`),
    ...explanation.advice.map((sentence) => `  hint: ${oneLine(sentence)}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** What happened to it, where its values do not say that. */
function howOf({ what, how, aspect, before, after }: Change): string | undefined {
  if (what === 'layer below') return { changed: 'made anew', added: 'new', removed: 'gone' }[how];
  if (how !== 'changed') return how;
  return aspect === undefined && before === undefined && after === undefined ? 'changed' : undefined;
}

function valuesOf({ how, aspect, before, after }: Change): string | undefined {
  if (aspect === 'name') return `was ${shown(before)}`;
  if (how === 'added') return after === undefined ? undefined : shown(after);
  if (how === 'removed') return before === undefined ? undefined : `was ${shown(before)}`;
  return before === undefined && after === undefined ? undefined : shownPair(before, after);
}

/** Two values, both from where it can be seen how they differ. */
function shownPair(before: string | undefined, after: string | undefined): string {
  const [old, now] = [legible(before), legible(after)];
  const alike = alikeCharacters(old, now);
  const from = alike < MOST_CHARACTERS - ALIKE_CHARACTERS ? 0 : alike - ALIKE_CHARACTERS;
  return `${cut(old, from)} → ${cut(now, from)}`;
}

function alikeCharacters(one: string, other: string): number {
  let count = 0;
  while (count < one.length && one[count] === other[count]) count += 1;
  return count;
}

/** What stands from there on, as far as a line has room for it. */
function cut(text: string, from: number): string {
  const rest = from === 0 ? text : `…${text.slice(from)}`;
  return rest.length > MOST_CHARACTERS ? `${rest.slice(0, MOST_CHARACTERS - 1)}…` : rest;
}

function shown(value: string | undefined): string {
  return cut(legible(value), 0);
}

/** Digests by their beginning, as docker shows them. */
function legible(value: string | undefined): string {
  if (value === undefined) return 'none';
  if (value === '') return '""';
  return oneLine(value).replaceAll(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1');
}

/** Names of files and values may hold anything. */
function oneLine(text: string): string {
  return cleanLine(text.replaceAll('\n', ' '));
}

function timeOf(iso: string): string {
  return `${cleanLine(iso).slice(0, 19).replace('T', ' ')} UTC`;
}
