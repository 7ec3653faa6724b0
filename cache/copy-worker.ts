import { moveChanges } from './copy-changes.ts';
import { type LaidLayer, layOver } from './copy-layer.ts';
import { readSnapshot, snapshotOf, writeSnapshot } from './copy-snapshot.ts';
import { serve } from './workers.ts';

export type CopyJob =
  /** Lays layers over what the folder holds, and notes how it looks then. */
  | { readonly lay: readonly LaidLayer[]; readonly folder: string; readonly snapshot: string }
  /** Moves what changed since to `upper`. */
  | {
      readonly upper: string;
      readonly folder: string;
      readonly snapshot: string;
      readonly trees: readonly string[];
      readonly touched: readonly string[];
    };

/** Worker thread: a full copy of a root filesystem, and what a step changed in it. */
serve('copy-worker', async (job: CopyJob): Promise<void> => {
  const { folder, snapshot } = job;
  if ('upper' in job) {
    const { upper, trees, touched } = job;
    moveChanges(folder, { before: readSnapshot(snapshot), upper, trees, touched });
    return;
  }
  for (const layer of job.lay) layOver(folder, layer);
  writeSnapshot(snapshot, snapshotOf(folder));
});
