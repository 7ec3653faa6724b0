import { makesLayer } from '../containerfile/layer-kinds.ts';
import type { Containerfile, StageGraph } from '../containerfile/types.ts';
import type { EventBody } from '../core/events.ts';
import type { BuildOptions } from '../core/options.ts';
import { type Checking, noteOf } from './checking.ts';
import type { BuildResult } from './result.ts';
import type { CountedOptions } from './transfers.ts';

interface Told {
  readonly containerfile: Containerfile;
  readonly graphs: readonly StageGraph[];
  readonly checking: Pick<Checking, 'warnings' | 'applies'>;
}

/** Tells that a build begins, how it ended, and before that, even of one that failed, what its file is warned of. */
export async function tellBuild(
  { containerfile, graphs, checking }: Told,
  { moved, ...options }: CountedOptions,
  work: (options: BuildOptions) => Promise<BuildResult>,
): Promise<BuildResult> {
  const { signal } = options;
  const counts = { steps: 0, cached: 0 };
  const emit = (event: EventBody): void => {
    if (event.type === 'note' && event.rule !== undefined && !checking.applies(event.rule)) return;
    if (event.type === 'step-end') counts.steps++;
    if (event.type === 'step-end' && event.outcome === 'cached') counts.cached++;
    options.emit(event);
  };
  emit({
    type: 'build-start',
    file: containerfile.file,
    steps: graphs.map(countSteps).reduce((sum, count) => sum + count, 0),
  });
  const end = (ended: Pick<BuildEnd, 'outcome' | 'image'>): void => {
    for (const warning of checking.warnings()) options.emit(noteOf(warning));
    options.emit({ type: 'build-end', ...ended, ...counts, ...moved() });
  };
  try {
    const result = await work({ ...options, emit });
    end({ outcome: 'done', image: result.id });
    return result;
  } catch (error) {
    end({ outcome: signal.aborted ? 'cancelled' : 'failed' });
    throw error;
  }
}

type BuildEnd = Extract<EventBody, { type: 'build-end' }>;

/** What makes layers; which bases are steps too shows only as they come. */
function countSteps({ stages }: StageGraph): number {
  const instructions = stages.flatMap(({ stage }) => stage.instructions);
  return instructions.filter(makesLayer).length;
}
