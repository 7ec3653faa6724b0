import type { KeptBuild } from '../core/remembered.ts';
import { cleanLine } from '../report/clean.ts';
import { fitTable } from '../report/fit-table.ts';
import { formatAge, formatSeconds } from '../report/format.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

export interface BuildsCommand {
  readonly json: boolean;
  /** Of the screen; undefined where nothing is to be cut. */
  readonly columns: number | undefined;
}

/** Lists the builds that are remembered, newest first. */
export async function builds({ json, columns }: BuildsCommand, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const kept = parts.store.builds.list();
  here.print(json ? `${JSON.stringify(kept, null, 2)}\n` : tableOf(kept, columns));
}

/** On a screen narrower than this ids alone tell when builds began. */
const roomy = 100;

function tableOf(kept: readonly KeptBuild[], columns = Number.POSITIVE_INFINITY): string {
  const pick = (id: string, started: string, ...rest: readonly string[]): string[] => [
    ...[id, ...(columns >= roomy ? [started] : [])],
    ...rest,
  ];
  const rows = kept.map((build) =>
    pick(
      build.id,
      formatAge(build.started, Date.now()),
      build.tookMs === undefined ? '-' : formatSeconds(build.tookMs),
      build.outcome,
      `${build.cached}/${build.steps}`,
      cleanLine(whatOf(build)),
    ),
  );
  const head = pick('BUILD', 'STARTED', 'TOOK', 'RESULT', 'CACHED', 'WHAT');
  return fitTable([head, ...rows], { columns, right: [] });
}

/** Its name where it has one, else the file; the target where it is not the last stage. */
function whatOf({ names, file, target }: KeptBuild): string {
  const name = names[0]?.replace(/^docker\.io\/(library\/)?/, '') ?? file;
  return target === undefined ? name : `${name} (${target})`;
}
