import type { Activity, BuildEvent } from '../core/events.ts';
import { cleanLine } from './clean.ts';
import { formatBytes, formatSeconds } from './format.ts';
import { clip } from './width.ts';

type Of<T extends BuildEvent['type']> = Extract<BuildEvent, { type: T }>;

/** Layers that are named, the largest. */
const MOST_LAYERS = 3;

/** What took less, in milliseconds, is not worth a word. */
const SHORTEST_MS = 100;

const words: Readonly<Record<Activity, string>> = {
  wait: 'waiting',
  transfer: 'transfer',
  unpack: 'unpack',
  run: 'run',
  commit: 'commit',
  compress: 'compress',
  push: 'push',
};

/** What there is to say of a whole build: where its time went, and what layers it made. */
export class Summary {
  readonly #spans = new Map<Activity, (readonly [number, number])[]>();
  readonly #names = new Map<string, string>();
  readonly #made = new Map<string, number>();
  #end: Of<'build-end'> | undefined;

  add(event: BuildEvent): void {
    if (event.type === 'span') this.#addSpan(event);
    else if (event.type === 'step-start') this.#names.set(event.step, event.name);
    else if (event.type === 'step-end') this.#addStep(event);
    else if (event.type === 'build-end') this.#end = event;
  }

  /** How the build ended: `FINISHED 5 steps, 1 cached in 7.4s`. Undefined while it has not. */
  head(): string | undefined {
    const end = this.#end;
    if (end === undefined) return undefined;
    const took = formatSeconds(end.at);
    const steps = stepWords(end);
    if (end.outcome === 'done') return `FINISHED ${steps && `${steps} `}in ${took}${movedWords(end)}`;
    const word = end.outcome === 'failed' ? 'FAILED' : 'CANCELED';
    return `${word} after ${took}${steps && ` (${steps})`}${movedWords(end)}`;
  }

  /** How many steps, and bytes over the network: `5, 1 cached, received 63.1MB`. */
  counts(): string {
    const end = this.#end;
    if (end === undefined) return '';
    return `${end.steps}${end.cached === 0 ? '' : `, ${end.cached} cached`}${movedWords(end)}`;
  }

  /**
   * The rest, a line each, names cut to `columns`; of a build that failed, and of one that did nothing, there is nothing to
   * say.
   */
  lines(columns = Number.POSITIVE_INFINITY): string[] {
    if (this.#end?.outcome !== 'done') return [];
    return [...this.#timeLine(), ...this.#layerLines(columns)];
  }

  #addSpan({ what, startedAt, at }: Of<'span'>): void {
    const spans = this.#spans.get(what) ?? [];
    spans.push([startedAt, at]);
    this.#spans.set(what, spans);
  }

  #addStep({ step, outcome, bytes }: Of<'step-end'>): void {
    if (outcome === 'done' && bytes !== undefined) this.#made.set(step, bytes);
  }

  #timeLine(): string[] {
    const times = [...this.#spans].map(([what, spans]) => [words[what], covered(spans)] as const);
    const long = times.filter(([, ms]) => ms >= SHORTEST_MS).sort((a, b) => b[1] - a[1]);
    if (long.length === 0) return [];
    return [`time    ${long.map(([word, ms]) => `${word} ${formatSeconds(ms)}`).join(', ')}`];
  }

  #layerLines(columns: number): string[] {
    const sorted = [...this.#made].sort((a, b) => b[1] - a[1]);
    if (sorted.length === 0) return [];
    const total = sorted.reduce((sum, [, bytes]) => sum + bytes, 0);
    const named = sorted.slice(0, MOST_LAYERS).map(([step, bytes]) => {
      const size = formatBytes(bytes).padStart(7);
      return clip(`${size}  ${cleanLine(this.#names.get(step) ?? step)}`, columns);
    });
    const more = sorted.length > MOST_LAYERS ? ', the largest:' : '';
    return [`layers  ${sorted.length} made, ${formatBytes(total)}${more}`, ...named];
  }
}

function stepWords({ steps, cached }: Of<'build-end'>): string {
  if (steps === 0) return '';
  return `${steps === 1 ? '1 step' : `${steps} steps`}${cached === 0 ? '' : `, ${cached} cached`}`;
}

function movedWords({ received, sent }: Of<'build-end'>): string {
  const moved = [
    ...(received > 0 ? [`, received ${formatBytes(received)}`] : []),
    ...(sent > 0 ? [`, sent ${formatBytes(sent)}`] : []),
  ];
  return moved.join('');
}

/** Milliseconds in which at least one of the spans was going on. */
function covered(spans: readonly (readonly [number, number])[]): number {
  let [sum, until] = [0, Number.NEGATIVE_INFINITY];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    sum += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return sum;
}
