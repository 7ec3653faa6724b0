import { writeFile } from 'node:fs/promises';
import { BuildError } from '../core/errors.ts';
import { findBuild } from './find-build.ts';
import { reportData } from './report-data.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

export interface ReportCommand {
  /** Part of an id; the last build where nothing is said. */
  readonly build: string | undefined;
  /** Absolute path of the page, or `-`; by default one in `folder` that is named for the build. */
  readonly file: (id: string) => string;
}

/**
 * Writes what is known of a build as one page of HTML, and gives where. Fails with `not-found` where no such build is
 * remembered, with `output` where the page cannot be written.
 */
export async function report({ build, file }: ReportCommand, here: Surroundings): Promise<string> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const kept = findBuild(parts.store.builds, build);
  const data = await reportData(kept, parts.store, here.signal);
  const { reportPage } = await import('../report/html/report-page.ts');
  const path = file(kept.id);
  if (path === '-') here.print(reportPage(data));
  else await write(path, reportPage(data));
  return path;
}

async function write(path: string, page: string): Promise<void> {
  try {
    await writeFile(path, page);
  } catch (error) {
    throw new BuildError('output', `the report cannot be written: ${path}`, { cause: error });
  }
}
