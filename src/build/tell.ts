import { shapesOf } from '../../builder/shapes.ts';
import type { Containerfile, StageGraph } from '../containerfile/types.ts';
import { BuildError } from '../core/errors.ts';
import { type BuildEvent, type EventBody, type ToldFailure, withoutLogins } from '../core/events.ts';
import { hideLogins } from '../core/logins.ts';
import type { BuildOptions } from '../core/options.ts';
import type { Builds } from '../core/remembered.ts';
import { type Checking, noteOf } from './checking.ts';
import type { BuildResult } from './result.ts';
import type { CountedOptions } from './transfers.ts';

interface Told {
  readonly containerfile: Containerfile;
  readonly graphs: readonly StageGraph[];
  readonly checking: Pick<Checking, 'warnings' | 'applies'>;
  /** Texts of the files that it was read from, by name. */
  readonly texts: ReadonlyMap<string, string>;
  readonly builds: Builds;
}

/** A build that is told of: options whose `emit` tells, and the folder for what is to be kept of it. */
interface Telling {
  readonly options: BuildOptions;
  readonly folder: string;
}

/**
 * Tells that a build begins, how it ended, and before that, even of one that failed, what its file is warned of. All that is told
 * is remembered.
 */
export async function tellBuild(
  { containerfile, graphs, checking, texts, builds }: Told,
  { moved, ...options }: CountedOptions,
  work: (telling: Telling) => Promise<BuildResult>,
): Promise<BuildResult> {
  using memory = builds.begin(texts);
  const startedMs = performance.now();
  const tell = (event: EventBody): void => {
    // Logs are kept elsewhere, and are many.
    if (event.type !== 'step-log') memory.event(since(startedMs, withoutLogins(event)));
    options.emit(event);
  };
  const ended = new Map<string, string>();
  const emit = (event: EventBody): void => {
    if (event.type === 'note' && event.rule !== undefined && !checking.applies(event.rule)) return;
    // A step may start again, because bytes are gone: the last end counts.
    if (event.type === 'step-end') ended.set(event.step, event.outcome);
    tell(event);
  };
  const stages = shapesOf(graphs, options);
  const steps = stages.reduce((sum, stage) => sum + stage.steps.length, 0);
  tell({ type: 'build-start', id: memory.id, steps, ...beginning(options, containerfile) });
  tell({ type: 'graph', stages });
  const end = (how: Pick<BuildEnd, 'outcome' | 'image' | 'error'>): void => {
    for (const warning of checking.warnings()) tell(noteOf(warning));
    const cached = [...ended.values()].filter((outcome) => outcome === 'cached').length;
    tell({ type: 'build-end', ...how, steps: ended.size, cached, ...moved() });
  };
  try {
    const result = await work({ options: { ...options, emit }, folder: memory.folder });
    end({ outcome: 'done', image: result.id });
    return result;
  } catch (error) {
    end(options.signal.aborted ? { outcome: 'cancelled' } : { outcome: 'failed', error: toldFailure(error) });
    throw error;
  }
}

type BuildEnd = Extract<EventBody, { type: 'build-end' }>;

function beginning(
  { context, target, tags }: BuildOptions,
  { file }: Containerfile,
): Omit<Extract<EventBody, { type: 'build-start' }>, 'type' | 'id' | 'steps'> {
  return {
    started: new Date().toISOString(),
    file: hideLogins(file),
    // The query of an address is where tokens are.
    context: hideLogins(context.replace(/^(\w+:\/\/[^?#]*)\?[^#]*/, '$1')),
    names: tags,
    ...(target !== undefined && { target }),
  };
}

/** An event with its times as they are remembered: counted from the build's own beginning. */
function since(startedMs: number, body: EventBody): BuildEvent {
  const at = Math.round(performance.now() - startedMs);
  const startedAt = body.type === 'span' && {
    startedAt: Math.max(0, Math.round(body.startedAt - startedMs)),
  };
  return { ...body, at, ...startedAt } as BuildEvent;
}

function toldFailure(error: unknown): ToldFailure {
  if (!(error instanceof BuildError)) return { code: 'bug', message: String(error) };
  const { code, message, hint, location } = error;
  return { code, message, ...(hint !== undefined && { hint }), ...(location !== undefined && { location }) };
}
