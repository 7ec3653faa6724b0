import { join } from 'node:path';
import { keyOf } from '../../src/core/digest.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { Layer } from '../../src/core/types.ts';
import type { Tools } from '../tools.ts';
import { LayeredView } from '../view.ts';
import type { Selection } from './copy.ts';
import { type FolderOwnership, plainFolder } from './folder.ts';
import type { MountSource } from './run-mounts.ts';
import { stackOf } from './stack.ts';

/** The name under which files of a context are laid out for a mount. */
export const LAID_OUT = 'source';

type SourceTools = Pick<Tools, 'store' | 'signal'>;

/** Unpacked trees, and what is mounted of them. */
export interface MountedTrees {
  /** Topmost first; none where nothing was ever put into a stage or image. */
  readonly lower: string[];
  /** What was unpacked, bottom first. */
  readonly layers: readonly Layer[];
  readonly path: string;
  /** What the root of the trees is like: its topmost folder says it. */
  readonly root: FolderOwnership;
}

/** The trees that a mount shows. */
export async function treesOf(
  { snapshot, path, reads }: MountSource,
  tools: SourceTools,
): Promise<MountedTrees> {
  const { layers } = tools.store;
  if (snapshot === undefined) {
    const layer = await layOut(reads!, tools);
    return { lower: [await layers.tree(layer)], layers: [layer], path: LAID_OUT, root: plainFolder };
  }
  const view = LayeredView.of(snapshot.layers, layers, tools.signal);
  const lower = await stackOf(snapshot.layers, tools);
  return {
    lower,
    layers: snapshot.layers,
    path: (await view.resolve(path, { followLast: true })).path,
    root: (await view.lookup('')) ?? plainFolder,
  };
}

/** The folder that a new cache mount begins as a copy of, and what tells it from others. */
export async function seedOf(
  source: MountSource,
  tools: SourceTools,
): Promise<{ path: string; digest: string }> {
  const layer = await layOut(source.reads!, tools);
  return { path: join(await tools.store.layers.tree(layer), LAID_OUT), digest: layer.diffId };
}

/**
 * What a cache source has of a mount that this machine does not know yet. It is worth no failure: a mount that cannot
 * be had begins empty.
 */
export async function sharedSeed(
  id: string,
  tools: Pick<Tools, 'store' | 'signal' | 'emit' | 'shared'>,
): Promise<string | undefined> {
  const { emit, signal, store } = tools;
  if (store.mounts.has(id)) return undefined;
  const layer = (await tools.shared()).mount(id);
  if (layer === undefined) return undefined;
  try {
    return await store.mounts.seedOf(layer, signal);
  } catch (error) {
    if (!(error instanceof BuildError) || signal.aborted) throw error;
    const text = `the cache mount ${id} begins empty: ${error.message}`;
    emit({ type: 'note', level: 'warning', text });
    return undefined;
  }
}

/** A layer that holds just the selected files; made once for the same content. */
async function layOut(reads: Selection, tools: SourceTools): Promise<Layer> {
  const ingredients = { step: 'mount', content: await reads.contentKey() };
  const known = tools.store.records
    .find(keyOf(ingredients))
    .find(({ layer }) => tools.store.layers.isAtHand(layer));
  if (known !== undefined) return known.layer;
  const writer = await tools.store.layers.writer();
  try {
    await reads.write([], writer);
    const layer = await writer.commit();
    await tools.store.records.put(
      keyOf(ingredients),
      { layer, created: new Date().toISOString() },
      ingredients,
    );
    return layer;
  } finally {
    await writer.abandon();
  }
}
