import type { BuildEvent } from '../core/events.ts';
import { cleanLine, cleanText, Lines } from './clean.ts';
import { formatBytes, formatSeconds } from './format.ts';
import { type Named, PlainLog } from './plain-log.ts';
import type { Reporter, Screen } from './screen.ts';
import { Summary } from './summary.ts';

type Of<T extends BuildEvent['type']> = Extract<BuildEvent, { type: T }>;

/** Something with a number of its own: a step or a transfer. */
interface Vertex extends Named {
  readonly lines: Record<'stdout' | 'stderr', Lines>;
  /** When the last line about it was written, for transfers that go on for long. */
  shownAt: number;
}

/** A transfer under way is mentioned at most this often. */
const transferEveryMs = 5000;

/** Who waits for a turn is looked after this often, even while nothing happens. */
const lookEveryMs = 1000;

/**
 * One line per event, after BuildKit's plain grammar: `#N name`, `#N 0.123 log line`, `#N CACHED`, `#N DONE 1.2s`,
 * `#N ERROR: why`, `#N WARN: text`; `#N ...` and a blank line stand where the talk changes from one step to another.
 */
export function plainReporter(screen: Screen): Reporter {
  const plain = new Plain(screen);
  const timer = setInterval(() => plain.look(), lookEveryMs);
  timer.unref();
  return {
    event: (event) => plain.show(event),
    close: () => {
      clearInterval(timer);
      plain.close();
    },
  };
}

class Plain {
  readonly #screen: Screen;
  readonly #log: PlainLog<Vertex>;
  readonly #vertices = new Map<string, Vertex>();
  readonly #summary = new Summary();

  constructor(screen: Screen) {
    this.#screen = screen;
    this.#log = new PlainLog(screen);
  }

  show(event: BuildEvent): void {
    this.#summary.add(event);
    if (event.type === 'step-start') this.#start(`step ${event.step}`, event.name, event.at);
    else if (event.type === 'step-log') this.#addLog(event);
    else if (event.type === 'step-end') this.#endStep(event);
    else if (event.type === 'transfer') this.#transfer(event);
    else if (event.type === 'note') this.#note(event);
    else if (event.type === 'build-end') this.#end();
  }

  look(): void {
    this.#log.look(this.#screen.now());
  }

  close(): void {
    for (const vertex of this.#vertices.values()) this.#flush(vertex, this.#screen.now());
    this.#log.close();
  }

  /** What starts again, because bytes that it made before are gone, keeps its number. */
  #start(key: string, name: string, at: number): Vertex {
    const vertex: Vertex = {
      number: this.#vertices.get(key)?.number ?? this.#vertices.size + 1,
      name: this.#fit(cleanLine(name.replaceAll('\n', ' '))),
      startedAt: at,
      lines: { stdout: new Lines(), stderr: new Lines() },
      pending: '',
      since: undefined,
      shownAt: at,
      ended: false,
    };
    this.#vertices.set(key, vertex);
    this.#log.begin(vertex, at);
    return vertex;
  }

  #addLog(event: Of<'step-log'>): void {
    const vertex = this.#vertices.get(`step ${event.step}`);
    if (vertex !== undefined) this.#say(vertex, vertex.lines[event.stream].add(event.text), event.at);
  }

  /** Whole lines of a step, with the time at which it said them. */
  #say(vertex: Vertex, lines: string, at: number): void {
    if (lines === '') return;
    const lead = `${(Math.max(0, at - vertex.startedAt) / 1000).toFixed(3)} `;
    const text = this.#fit(cleanText(lines.slice(0, -1), this.#screen));
    this.#log.say(vertex, { text, lead }, at);
  }

  #fit(text: string): string {
    return this.#screen.marks?.fit(text) ?? text;
  }

  #flush(vertex: Vertex, at: number): void {
    for (const stream of ['stdout', 'stderr'] as const) this.#say(vertex, vertex.lines[stream].end(), at);
  }

  #endStep(event: Of<'step-end'>): void {
    const vertex = this.#vertices.get(`step ${event.step}`);
    if (vertex === undefined || vertex.ended) return;
    this.#flush(vertex, event.at);
    const words = {
      cached: 'CACHED',
      done: `DONE ${formatSeconds(event.at - vertex.startedAt)}`,
      failed: this.#fit(errorWords(event.error)),
      cancelled: 'CANCELED',
    };
    this.#log.end(vertex, words[event.outcome], event.at);
  }

  #transfer(event: Of<'transfer'>): void {
    const key = `transfer ${event.id}`;
    const vertex = this.#vertices.get(key) ?? this.#start(key, event.name, event.at);
    if (vertex.ended) return;
    const took = event.at - vertex.startedAt;
    const status = `${vertex.name.split(' ').at(-1)} ${bytesOf(event)} ${formatSeconds(took)}`;
    if (event.state !== 'running') {
      if (event.state === 'done') this.#log.say(vertex, { text: `${status} done` }, event.at);
      this.#log.end(vertex, transferEnd(event.state, took), event.at);
    } else if (event.at - vertex.shownAt >= transferEveryMs) {
      vertex.shownAt = event.at;
      this.#log.say(vertex, { text: status }, event.at);
    }
  }

  #note(event: Of<'note'>): void {
    const { location } = event;
    const where = location === undefined ? '' : ` (${location.file}:${location.startLine})`;
    const hint = event.hint === undefined ? '' : `\n  ${event.hint}`;
    const vertex = this.#vertices.get(`step ${event.step}`);
    const text = this.#fit(cleanText(`${event.text}${where}${event.level === 'info' ? '' : hint}`));
    if (event.level === 'info') this.#log.aside(text);
    else if (vertex === undefined || vertex.ended) this.#log.aside(`WARNING: ${text}`);
    else this.#log.say(vertex, { text: `WARN: ${text}` }, event.at);
  }

  #end(): void {
    this.close();
    const rest = this.#summary.lines().map((line) => `\n  ${line}`);
    this.#log.aside(this.#fit(`${this.#summary.head()}${rest.join('')}`));
  }
}

/** A step that fails says why at once; the lines in question follow at the end. */
function errorWords(error: string | undefined): string {
  return error === undefined ? 'ERROR' : `ERROR: ${cleanLine(error.replaceAll('\n', ' '))}`;
}

function bytesOf({ done, total }: Of<'transfer'>): string {
  return total === undefined ? formatBytes(done) : `${formatBytes(done)} / ${formatBytes(total)}`;
}

function transferEnd(state: 'done' | 'exists' | 'mounted' | 'failed', ms: number): string {
  if (state === 'exists') return 'EXISTS already';
  if (state === 'mounted') return 'MOUNTED from another repository';
  return `${state === 'failed' ? 'ERROR' : 'DONE'} ${formatSeconds(ms)}`;
}
