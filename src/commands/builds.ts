import type { KeptBuild } from '../core/store.ts';
import { cleanLine } from '../report/clean.ts';
import { formatAge, formatSeconds, formatTable } from '../report/format.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

/** Lists the builds that are remembered, newest first. */
export async function builds(options: { readonly json: boolean }, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const kept = parts.store.builds.list();
  here.print(options.json ? `${JSON.stringify(kept, null, 2)}\n` : tableOf(kept));
}

function tableOf(kept: readonly KeptBuild[]): string {
  const rows = kept.map((build) => [
    build.id,
    formatAge(build.started, Date.now()),
    build.tookMs === undefined ? '-' : formatSeconds(build.tookMs),
    build.outcome,
    `${build.cached}/${build.steps}`,
    cleanLine(whatOf(build)),
  ]);
  return formatTable([['BUILD', 'STARTED', 'TOOK', 'RESULT', 'CACHED', 'WHAT'], ...rows]);
}

/** Its name where it has one, else the file; the target where it is not the last stage. */
function whatOf({ names, file, target }: KeptBuild): string {
  const name = names[0]?.replace(/^docker\.io\/(library\/)?/, '') ?? file;
  return target === undefined ? name : `${name} (${target})`;
}
