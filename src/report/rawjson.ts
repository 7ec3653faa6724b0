import { type Digest, digestOf } from '../core/digest.ts';
import type { SourceRange } from '../core/errors.ts';
import type { BuildEvent, StageShape } from '../core/events.ts';
import { hideLogins } from '../core/logins.ts';
import { cleanLine, cleanText } from './clean.ts';
import type { Reporter, Screen } from './screen.ts';
import type { Log, SolveStatus, Vertex, Warning } from './solve-status.ts';

type Of<T extends BuildEvent['type']> = Extract<BuildEvent, { type: T }>;

/** BuildKit's SolveStatus, one per line: what reads `--progress=rawjson` of other builders reads this. */
export function rawJsonReporter(screen: Screen): Reporter {
  const statuses = new SolveStatuses(screen);
  return {
    event: (event) => {
      const status = statuses.of(event);
      if (status !== undefined) screen.write(`${JSON.stringify(status)}\n`);
    },
    close: () => {},
  };
}

class SolveStatuses {
  readonly #screen: Screen;
  readonly #open = new Map<string, Vertex>();
  readonly #stages = new Map<string, StageShape>();
  #build = '';
  #notes = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** What an event is to BuildKit; undefined where it has no word for it. */
  of(event: BuildEvent): SolveStatus | undefined {
    switch (event.type) {
      case 'build-start':
        return this.#begin(event);
      case 'graph':
        for (const stage of event.stages) this.#stages.set(stage.id, stage);
        return undefined;
      case 'step-start':
        return { vertexes: [this.#start(event.step, event, this.#inputs(event.step))] };
      case 'step-end':
        return { vertexes: this.#end(event.step, event.at, outcomeOf(event)) };
      case 'step-log':
        return { logs: [this.#log(event)] };
      case 'transfer':
        return this.#transfer(event);
      case 'note':
        return this.#note(event);
      default:
        return undefined;
    }
  }

  #begin({ id, file, at }: Of<'build-start'>): SolveStatus {
    this.#build = id;
    const name = `[internal] load build definition from ${file}`;
    return { vertexes: [this.#start('definition', { name, at }), ...this.#end('definition', at)] };
  }

  #start(
    key: string,
    { name, at }: { readonly name: string; readonly at: number },
    inputs: readonly Digest[] = [],
  ): Vertex {
    const vertex = {
      digest: this.#digest(key),
      ...(inputs.length > 0 && { inputs }),
      name: cleanLine(name),
      started: this.#time(at),
    };
    this.#open.set(key, vertex);
    return vertex;
  }

  #end(key: string, at: number, how: Pick<Vertex, 'cached' | 'error'> = {}): Vertex[] {
    const vertex = this.#open.get(key);
    return vertex === undefined ? [] : [{ ...vertex, completed: this.#time(at), ...how }];
  }

  /** The step before, or the last steps of the stages that its own stage reads. */
  #inputs(step: string): Digest[] {
    const stage = this.#stages.get(step.slice(0, step.lastIndexOf('/')));
    const at = stage?.steps.indexOf(step) ?? -1;
    if (stage === undefined || at < 0) return [];
    if (at > 0) return [this.#digest(stage.steps[at - 1]!)];
    return stage.needs
      .flatMap((id) => this.#stages.get(id)?.steps.at(-1) ?? [])
      .map((id) => this.#digest(id));
  }

  #log({ step, stream, text, at }: Of<'step-log'>): Log {
    return {
      vertex: this.#digest(step),
      stream: stream === 'stdout' ? 1 : 2,
      data: base64(text),
      timestamp: this.#time(at),
    };
  }

  #transfer(event: Of<'transfer'>): SolveStatus {
    const { id, name, done, total, state, at } = event;
    const key = `transfer ${id}`;
    const begins = this.#open.has(key) ? [] : [this.#start(key, event)];
    const { digest, started } = this.#open.get(key)!;
    const ended = state === 'running' ? {} : { completed: this.#time(at) };
    const status = {
      id: cleanLine(name),
      vertex: digest,
      ...(total !== undefined && { total }),
      current: done,
      timestamp: this.#time(at),
      ...{ started, ...ended },
    };
    const how = state === 'failed' ? { error: 'transfer failed' } : {};
    const ends = state === 'running' ? [] : this.#end(key, at, how);
    const vertexes = [...begins, ...ends];
    return { ...(vertexes.length > 0 && { vertexes }), statuses: [status] };
  }

  /** A warning belongs to a step or to the file; BuildKit tells other news as steps that are over at once. */
  #note(event: Of<'note'>): SolveStatus {
    const { level, step, text, at } = event;
    if (level === 'warning') return { warnings: [this.#warning(event, this.#digest(step ?? 'definition'))] };
    const key = `note ${this.#notes++}`;
    return { vertexes: [this.#start(key, { name: text, at }), ...this.#end(key, at)] };
  }

  #warning({ rule, text, description, hint, url, location }: Of<'note'>, vertex: Digest): Warning {
    const detail = [description, hint].filter((one) => one !== undefined);
    const line = location === undefined ? '' : ` (line ${location.startLine})`;
    return {
      vertex,
      level: 1,
      short: base64(`${rule === undefined ? '' : `${rule}: `}${text}${line}`),
      ...(detail.length > 0 && { detail: detail.map(base64) }),
      ...(url !== undefined && { url }),
      ...(location !== undefined && this.#source(location)),
    };
  }

  #source({ file, startLine, endLine }: SourceRange): Pick<Warning, 'sourceInfo' | 'range'> {
    const data = base64(hideLogins(this.#screen.read(file) ?? ''));
    return {
      sourceInfo: { filename: cleanLine(file), data, language: 'Dockerfile' },
      range: [{ start: { line: startLine }, end: { line: endLine } }],
    };
  }

  #digest(key: string): Digest {
    return digestOf(Buffer.from(`${this.#build} ${key}`));
  }

  #time(at: number): string {
    return new Date(this.#screen.epochMs + at).toISOString();
  }
}

/** BuildKit's readers know by these words that a step was given up. */
function outcomeOf({ outcome, error }: Of<'step-end'>): Pick<Vertex, 'cached' | 'error'> {
  if (outcome === 'cached') return { cached: true };
  if (outcome === 'cancelled') return { error: 'context canceled' };
  return outcome === 'failed' ? { error: cleanText(error ?? 'failed') } : {};
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
