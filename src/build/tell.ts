import type { Containerfile, StageGraph } from '../containerfile/types.ts';
import type { EventBody } from '../core/events.ts';
import type { BuildOptions } from '../core/options.ts';
import type { BuildResult } from './result.ts';

/** Steps of a stage that people see: its FROM, and what makes layers. */
const SHOWN = ['run', 'copy', 'add', 'workdir'];

/** Tells that a build begins, what its file warns of, and how it ended. */
export async function tellBuild(
  { containerfile, graph }: { readonly containerfile: Containerfile; readonly graph: StageGraph },
  options: BuildOptions,
  work: (options: BuildOptions) => Promise<BuildResult>,
): Promise<BuildResult> {
  const { signal } = options;
  const counts = { steps: 0, cached: 0 };
  const emit = (event: EventBody): void => {
    if (event.type === 'step-end') counts.steps++;
    if (event.type === 'step-end' && event.outcome === 'cached') counts.cached++;
    options.emit(event);
  };
  emit({ type: 'build-start', file: containerfile.file, steps: countSteps(graph) });
  for (const { text, hint, location } of containerfile.warnings) {
    emit({ type: 'note', level: 'warning', text, location, ...(hint !== undefined && { hint }) });
  }
  try {
    const result = await work({ ...options, emit });
    emit({ type: 'build-end', outcome: 'done', image: result.id, ...counts });
    return result;
  } catch (error) {
    emit({ type: 'build-end', outcome: signal.aborted ? 'cancelled' : 'failed', ...counts });
    throw error;
  }
}

function countSteps({ stages }: StageGraph): number {
  const counts = stages.map(
    ({ stage }) => stage.instructions.filter(({ kind }) => SHOWN.includes(kind)).length,
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
