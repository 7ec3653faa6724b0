import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { KeptBuild } from '../core/remembered.ts';
import type { Store } from '../core/store.ts';
import type { LogText, ReportData, StepReport } from '../report/html/report-data.ts';
import { storyOf } from '../report/html/story.ts';
import { reportLayers } from './report-layers.ts';

/** Bytes that are read of each end of a log: more than a page has room for. */
const endBytes = 64 * 1024;

/** Puts together what the store knows of a build. Nothing is fetched for it. */
export async function reportData(build: KeptBuild, store: Store, signal: AbortSignal): Promise<ReportData> {
  const story = storyOf(store.builds.events(build.id));
  const { images, trees } = await reportLayers(story, store, signal);
  const folder = store.builds.folder(build.id);
  return {
    ...story,
    // Of one that was killed the events do not say so; who remembers it does.
    build: { ...story.build, outcome: build.outcome },
    steps: story.steps.map((step) => withDetails(step, folder, trees)),
    images,
    sources: store.builds.sources(build.id),
  };
}

function withDetails(
  step: StepReport,
  folder: string,
  trees: Awaited<ReturnType<typeof reportLayers>>['trees'],
): StepReport {
  // The store may have been moved since: what is kept of a build lies in its folder.
  const log = step.logFile === undefined ? undefined : readEnds(join(folder, basename(step.logFile)));
  const tree = trees.get(step.id);
  return { ...step, ...(log !== undefined && { log }), ...(tree !== undefined && { tree }) };
}

/** Both ends of a file, in whole characters or nearly so; undefined where there is none or it is empty. */
function readEnds(path: string): LogText | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(file);
    if (size === 0) return undefined;
    if (size <= 2 * endBytes) return { head: readAt(file, 0, size), tail: '', hidden: 0 };
    const [head, tail] = [readAt(file, 0, endBytes), readAt(file, size - endBytes, endBytes)];
    return { head, tail, hidden: size - 2 * endBytes };
  } finally {
    closeSync(file);
  }
}

function readAt(file: number, position: number, length: number): string {
  const buffer = Buffer.alloc(length);
  return buffer.toString('utf8', 0, readSync(file, buffer, 0, length, position));
}
