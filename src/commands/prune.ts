import { formatBytes } from '../report/format.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

export interface PruneCommand {
  /** Also what cache records name. */
  readonly all: boolean;
  /** Images and cache mounts too. */
  readonly everything: boolean;
  /** Stop once no more than so many bytes are left. */
  readonly keepBytes?: number;
  /** Only what was not used for so many seconds. */
  readonly until?: number;
}

/** Takes away what nothing needs any more, the least recently used first. */
export async function prune(options: PruneCommand, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const cache = await import('../../cache/prune.ts');
  const { count, bytes } = cache.prune(parts.store, options);
  here.print(`removed ${count} thing${count === 1 ? '' : 's'}, ${formatBytes(bytes)}\n`);
}
