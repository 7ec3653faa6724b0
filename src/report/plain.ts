import type { BuildEvent } from '../core/events.ts';
import { cleanLine, Lines } from './clean.ts';
import { formatBytes, formatSeconds } from './format.ts';
import type { Reporter, Screen } from './screen.ts';

type Of<T extends BuildEvent['type']> = Extract<BuildEvent, { type: T }>;

/** Something with a number of its own: a step or a transfer. */
interface Vertex {
  readonly number: number;
  readonly name: string;
  readonly startedAt: number;
  readonly lines: Record<'stdout' | 'stderr', Lines>;
  /** When the last line about it was written, for transfers that go on for long. */
  shownAt: number;
  ended: boolean;
}

interface PlainState {
  readonly screen: Screen;
  readonly vertices: Map<string, Vertex>;
  /** The vertex that the last line was about. */
  current: Vertex | undefined;
}

/** A transfer under way is mentioned at most this often. */
const transferEveryMs = 5000;

/**
 * One line per event, after BuildKit's plain grammar: `#N name`, `#N 0.123 log line`, `#N CACHED`, `#N DONE 1.2s`,
 * `#N ERROR: why`.
 * A blank line and the name again stand where the talk changes from one step to another.
 */
export function plainReporter(screen: Screen): Reporter {
  const state: PlainState = { screen, vertices: new Map(), current: undefined };
  return {
    event: (event) => show(state, event),
    close: () => {
      for (const vertex of state.vertices.values()) flush(state, vertex, screen.now());
    },
  };
}

function show(state: PlainState, event: BuildEvent): void {
  if (event.type === 'step-start') start(state, `step ${event.step}`, event.name, event.at);
  else if (event.type === 'step-log') log(state, event);
  else if (event.type === 'step-end') endStep(state, event);
  else if (event.type === 'transfer') transfer(state, event);
  else if (event.type === 'note') note(state, event);
  else if (event.type === 'build-end') endBuild(state, event);
}

/** What starts again, because bytes that it made before are gone, keeps its number. */
function start(state: PlainState, key: string, name: string, at: number): Vertex {
  const lines = { stdout: new Lines(), stderr: new Lines() };
  const number = state.vertices.get(key)?.number ?? state.vertices.size + 1;
  const vertex = { number, name: cleanLine(name), startedAt: at, shownAt: at, lines, ended: false };
  state.vertices.set(key, vertex);
  say(state, vertex);
  return vertex;
}

function log(state: PlainState, event: Of<'step-log'>): void {
  const vertex = state.vertices.get(`step ${event.step}`);
  if (vertex === undefined) return;
  for (const line of vertex.lines[event.stream].add(event.text)) logLine(state, vertex, [line, event.at]);
}

function logLine(state: PlainState, vertex: Vertex, [line, at]: readonly [string, number]): void {
  const time = (Math.max(0, at - vertex.startedAt) / 1000).toFixed(3);
  say(state, vertex, `${time} ${cleanLine(line, { colour: true })}`);
}

function endStep(state: PlainState, event: Of<'step-end'>): void {
  const vertex = state.vertices.get(`step ${event.step}`);
  if (vertex === undefined || vertex.ended) return;
  flush(state, vertex, event.at);
  vertex.ended = true;
  const took = formatSeconds(event.at - vertex.startedAt);
  const words = {
    cached: 'CACHED',
    done: `DONE ${took}`,
    failed: errorWords(event.error),
    cancelled: 'CANCELED',
  };
  say(state, vertex, words[event.outcome]);
}

/** A step that fails says why at once; the lines in question follow at the end. */
function errorWords(error: string | undefined): string {
  return error === undefined ? 'ERROR' : `ERROR: ${cleanLine(error.replaceAll('\n', ' '))}`;
}

function flush(state: PlainState, vertex: Vertex, at: number): void {
  for (const stream of ['stdout', 'stderr'] as const)
    for (const line of vertex.lines[stream].end()) logLine(state, vertex, [line, at]);
}

function transfer(state: PlainState, event: Of<'transfer'>): void {
  const known = state.vertices.get(`transfer ${event.id}`);
  const vertex = known ?? start(state, `transfer ${event.id}`, event.name, event.at);
  if (vertex.ended) return;
  if (event.state === 'running') {
    if (event.at - vertex.shownAt < transferEveryMs) return;
    vertex.shownAt = event.at;
    const total = event.total === undefined ? '' : ` / ${formatBytes(event.total)}`;
    say(state, vertex, `${formatBytes(event.done)}${total} ${formatSeconds(event.at - vertex.startedAt)}`);
    return;
  }
  vertex.ended = true;
  say(state, vertex, transferEnd(event, event.at - vertex.startedAt));
}

function transferEnd(event: Of<'transfer'>, ms: number): string {
  if (event.state === 'exists') return 'EXISTS already';
  if (event.state === 'mounted') return 'MOUNTED from another repository';
  const word = event.state === 'failed' ? 'ERROR' : 'DONE';
  return `${formatBytes(event.done)} ${word} ${formatSeconds(ms)}`;
}

function note(state: PlainState, event: Of<'note'>): void {
  const where = event.location === undefined ? '' : ` (${event.location.file}:${event.location.startLine})`;
  const hint = event.hint === undefined ? '' : `\n  ${event.hint}`;
  const text = event.level === 'warning' ? `WARNING: ${event.text}` : event.text;
  aside(state, `${text}${where}${hint}`);
}

function endBuild(state: PlainState, event: Of<'build-end'>): void {
  const cached = event.cached === 0 ? '' : `, ${event.cached} cached`;
  const words = { done: 'FINISHED', failed: 'FAILED', cancelled: 'CANCELED' };
  const steps = event.steps === 1 ? '1 step' : `${event.steps} steps`;
  const moved = [
    ...(event.received > 0 ? [`, received ${formatBytes(event.received)}`] : []),
    ...(event.sent > 0 ? [`, sent ${formatBytes(event.sent)}`] : []),
  ];
  aside(state, `${words[event.outcome]} ${steps}${cached} in ${formatSeconds(event.at)}${moved.join('')}`);
}

/** A line that belongs to no step. */
function aside(state: PlainState, text: string): void {
  if (state.current !== undefined) state.screen.write('\n');
  state.current = undefined;
  state.screen.write(
    `${text
      .split('\n')
      .map((line) => cleanLine(line))
      .join('\n')}\n`,
  );
}

/** A line about a vertex, its name first where the talk was about another; without text the name alone. */
function say(state: PlainState, vertex: Vertex, text?: string): void {
  let out = '';
  if (state.current !== vertex) {
    if (state.current !== undefined) out += '\n';
    out += `#${vertex.number} ${vertex.name}\n`;
  }
  state.current = vertex;
  if (text !== undefined) out += `#${vertex.number} ${text}\n`;
  state.screen.write(out);
}
