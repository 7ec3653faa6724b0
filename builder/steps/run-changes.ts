import { join } from 'node:path';
import type { PathOwner } from '../../src/core/owner.ts';
import type { RecordedStep, Store } from '../../src/core/store.ts';
import type { Entry, Layer } from '../../src/core/types.ts';
import type { Exit, Overlay } from '../sandbox/plan.ts';
import { LayeredView } from '../view.ts';
import type { PlannedRun } from './planned-run.ts';

/** What a process of a RUN has changed, ready to be kept as a layer. */
export interface RunChanges {
  /** The upper directory. */
  readonly upper: string;
  readonly exit: Pick<Exit, 'residue' | 'journal' | 'made'>;
  /** The trees that it ran on, topmost first. */
  readonly lower: readonly string[];
  /** It was laid over them by the kernel, whose marks are in it. */
  readonly overlaid: boolean;
  /** Owners of files of those trees, where they are recorded. */
  readonly owners: readonly PathOwner[];
}

interface Around {
  readonly store: Store;
  readonly signal: AbortSignal;
}

/** Where what a process changed is, once it has ended; of a copy it is first taken out. */
export async function changesOf(
  { plan, copy, scratch }: Pick<PlannedRun, 'plan' | 'copy' | 'scratch'>,
  exit: Exit,
  signal: AbortSignal,
): Promise<RunChanges> {
  const { root, owners = [] } = plan;
  if (copy === undefined || 'lower' in root) {
    const { upper, lower } = root as Overlay;
    return { upper: upper!, lower, overlaid: true, owners, exit };
  }
  const upper = join(scratch, 'changes');
  await copy.moveChanges(upper, { touched: exit.touched ?? [], signal });
  return { upper, lower: copy.trees, overlaid: false, owners, exit };
}

/** Keeps the changes as a layer on top of `layers`. */
export async function commitChanges(
  layers: readonly Layer[],
  changes: RunChanges,
  { store, signal }: Around,
): Promise<Layer> {
  const { upper, lower, overlaid, exit } = changes;
  return await store.layers.commitUpper(upper, {
    residue: exit.residue,
    below: await directoriesBelow(exit.residue, LayeredView.of(layers, store.layers, signal)),
    ...(overlaid && { lower }),
    ...(exit.journal !== undefined && { recorded: recordedOf(changes) }),
  });
}

/** What the commit has to know of owners that are recorded. */
function recordedOf({ exit: { journal = [], made }, lower, owners }: RunChanges): RecordedStep {
  return { journal, lower, below: owners, ...(made && { made }) };
}

/** The root, and the directories that were there to hold what the runtime made. */
async function directoriesBelow(residue: readonly string[], view: LayeredView): Promise<Entry[]> {
  const above = residue.flatMap((path) => path.split('/').map((_, i, parts) => parts.slice(0, i).join('/')));
  const found = await Promise.all([...new Set(['', ...above])].map((path) => view.lookup(path)));
  return found.filter((entry): entry is Entry => entry?.type === 'dir');
}
