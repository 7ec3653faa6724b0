import type { Layer } from '../../src/core/types.ts';
import type { Tools } from '../tools.ts';

/**
 * The unpacked trees of layers as an overlay wants them: topmost first, and each once, for the kernel refuses a
 * directory that is listed twice. A layer that returns higher up says everything there that it says below.
 */
export async function stackOf(
  layers: readonly Layer[],
  { store, signal }: Pick<Tools, 'store' | 'signal'>,
): Promise<string[]> {
  const trees = await Promise.all(layers.map((layer) => store.layers.tree(layer, signal)));
  return [...new Set(trees.toReversed())];
}
