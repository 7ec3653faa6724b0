import { usage } from '../../cache/prune.ts';
import { formatAge, formatBytes, formatTable } from '../report/format.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

/** Tells what the store takes up, by kind. */
export async function du(options: { readonly json: boolean }, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const kinds = usage(parts.store);
  if (options.json) return here.print(`${JSON.stringify(kinds, null, 2)}\n`);
  const total = kinds.reduce((sum, { bytes }) => sum + bytes, 0);
  const rows = kinds.map(({ kind, count, bytes, lastUsed }) => {
    const used = lastUsed === undefined ? undefined : new Date(lastUsed * 1000).toISOString();
    return [kind, String(count), formatBytes(bytes), formatAge(used, Date.now())];
  });
  here.print(
    formatTable([['KIND', 'COUNT', 'SIZE', 'LAST USED'], ...rows, ['total', '', formatBytes(total), '']]),
  );
}
