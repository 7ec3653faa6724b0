import { makesLayer } from '../containerfile/layer-kinds.ts';
import type { Containerfile, StageGraph } from '../containerfile/types.ts';
import { BuildError } from '../core/errors.ts';
import { type BuildEvent, type EventBody, type ToldFailure, withoutLogins } from '../core/events.ts';
import { hideLogins } from '../core/logins.ts';
import type { BuildOptions } from '../core/options.ts';
import type { Builds } from '../core/store.ts';
import { type Checking, noteOf } from './checking.ts';
import type { BuildResult } from './result.ts';
import { shapesOf } from './shapes.ts';
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
    const at = Math.round(performance.now() - startedMs);
    memory.event({ ...withoutLogins(event), at } as BuildEvent);
    options.emit(event);
  };
  const counts = { steps: 0, cached: 0 };
  const emit = (event: EventBody): void => {
    if (event.type === 'note' && event.rule !== undefined && !checking.applies(event.rule)) return;
    if (event.type === 'step-end') counts.steps++;
    if (event.type === 'step-end' && event.outcome === 'cached') counts.cached++;
    tell(event);
  };
  tell({ type: 'build-start', id: memory.id, ...beginning(options, containerfile, graphs) });
  tell({ type: 'graph', stages: shapesOf(graphs, options) });
  const end = (ended: Pick<BuildEnd, 'outcome' | 'image' | 'error'>): void => {
    for (const warning of checking.warnings()) tell(noteOf(warning));
    tell({ type: 'build-end', ...ended, ...counts, ...moved() });
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
  graphs: readonly StageGraph[],
): Omit<Extract<EventBody, { type: 'build-start' }>, 'type' | 'id'> {
  return {
    started: new Date().toISOString(),
    file: hideLogins(file),
    // The query of an address is where tokens are.
    context: hideLogins(context.replace(/^(\w+:\/\/[^?#]*)\?[^#]*/, '$1')),
    names: tags,
    steps: graphs.map(countSteps).reduce((sum, count) => sum + count, 0),
    ...(target !== undefined && { target }),
  };
}

/** What makes layers; which bases are steps too shows only as they come. */
function countSteps({ stages }: StageGraph): number {
  const instructions = stages.flatMap(({ stage }) => stage.instructions);
  return instructions.filter(makesLayer).length;
}

function toldFailure(error: unknown): ToldFailure {
  if (!(error instanceof BuildError)) return { code: 'bug', message: String(error) };
  const { code, message, hint, location } = error;
  return { code, message, ...(hint !== undefined && { hint }), ...(location !== undefined && { location }) };
}
