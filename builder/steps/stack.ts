import { keyOf } from '../../src/core/digest.ts';
import type { Entry, Layer } from '../../src/core/types.ts';
import type { Tools } from '../tools.ts';
import { LayeredView } from '../view.ts';

type StackTools = Pick<Tools, 'store' | 'signal'>;

/**
 * The unpacked trees of layers as an overlay wants them: topmost first, and each once, for the kernel refuses a
 * directory that is listed twice. A layer that returns higher up says everything there that it says below.
 */
export async function stackOf(layers: readonly Layer[], tools: StackTools): Promise<string[]> {
  const { store, signal } = tools;
  const trees = await Promise.all(layers.map((layer) => store.layers.tree(layer, signal)));
  const mended = await mendedDirectories(layers, tools);
  return [...new Set([...mended, ...trees.toReversed()])];
}

/**
 * A layer that holds `tmp/x` without `tmp` unpacks to a plain directory, which would hide the attributes that lower
 * layers gave it: a tree of just such directories, as the layers together have them, goes on top.
 */
async function mendedDirectories(layers: readonly Layer[], tools: StackTools): Promise<string[]> {
  const { store, signal } = tools;
  const implied = await Promise.all(layers.slice(1).map((layer) => store.layers.implied(layer, signal)));
  const paths = [...new Set(implied.flat())].sort();
  if (paths.length === 0) return [];
  const view = LayeredView.of(layers, store.layers, signal);
  const found = await Promise.all(withParents(paths).map((path) => view.lookup(path)));
  const directories = found.filter((entry): entry is Entry => entry?.type === 'dir');
  return directories.every(isPlain)
    ? []
    : [await store.layers.tree(await layerOf(directories, tools), signal)];
}

function withParents(paths: readonly string[]): string[] {
  const all = paths.flatMap((path) => path.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/')));
  return [...new Set(all)].sort();
}

function isPlain({ mode, uid, gid, xattrs }: Entry): boolean {
  return mode === 0o755 && uid === 0 && gid === 0 && xattrs === undefined;
}

/** Made once for the same directories. */
async function layerOf(directories: readonly Entry[], { store }: StackTools): Promise<Layer> {
  const ingredients = { step: 'directories', entries: directories.map((entry) => JSON.stringify(entry)) };
  const known = store.records.find(keyOf(ingredients)).find(({ layer }) => store.layers.isAtHand(layer));
  if (known !== undefined) return known.layer;
  const writer = await store.layers.writer();
  try {
    for (const entry of directories) await writer.add(entry);
    const layer = await writer.commit();
    await store.records.put(keyOf(ingredients), { layer, created: new Date().toISOString() }, ingredients);
    return layer;
  } finally {
    await writer.abandon();
  }
}
