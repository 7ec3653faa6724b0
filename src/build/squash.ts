import { LayeredView } from '../../builder/view.ts';
import { clampEpoch } from '../core/clamp-epoch.ts';
import type { BuildOptions } from '../core/options.ts';
import type { Layers } from '../core/store.ts';
import type { Entry, HistoryEntry, Image, Layer } from '../core/types.ts';
import { encodeConfig, parseConfig } from '../oci/config.ts';
import { LayerSum } from './layer-sum.ts';
import type { BuiltImage } from './taken-steps.ts';

interface Around {
  readonly layers: Layers;
  readonly options: Pick<BuildOptions, 'squash' | 'sourceDateEpoch' | 'keepTimes' | 'signal'>;
}

/**
 * The image with the layers that its build added as one layer (`--squash`), or with all of its layers as one
 * (`--squash-all`). What its steps gave stays in the store and its records: the next build finds it there. Lines of
 * history stay, without their layers.
 */
export async function squashed(built: BuiltImage, around: Around): Promise<Image> {
  const { snapshot, taken } = built.graph.target.state.candidates[0]!;
  const { image } = built;
  const own = around.options.squash === 'all' ? snapshot.layers.length : taken.length;
  if (own < 2) return image;
  const first = snapshot.layers.length - own;
  // Where a layer's times were clamped, its files are at hand as they were before.
  const { isAtHand } = around.layers;
  const sources = snapshot.layers.map((layer, at) =>
    isAtHand.call(around.layers, layer) ? layer : image.layers[at]!,
  );
  const below = image.layers.slice(0, first);
  const layer = await clamped(await sumOf(sources.slice(first), below, around), around);
  const config = parseConfig(image.config);
  const layers = [...below, layer];
  const history = squashedHistory(config.history ?? [], first, own);
  const rootfs = { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) } as const;
  return { config: encodeConfig({ ...config, rootfs, history }), layers, platform: image.platform };
}

/** One layer that does to what is `below` what all of `layers` do. */
async function sumOf(
  layers: readonly Layer[],
  below: readonly Layer[],
  { layers: store, options: { signal } }: Around,
): Promise<Layer> {
  const sum = new LayerSum();
  for (const layer of layers) sum.add(layer, await store.listing(layer, signal));
  const view = LayeredView.of(below, store, signal);
  const writer = await store.writer();
  try {
    for (const { entry, layer, path } of sum.entries()) {
      signal.throwIfAborted();
      if (isMark(entry) && (await view.lookup(entry.path)) === undefined) continue;
      const hasContent = entry.type === 'file' && entry.size > 0;
      await writer.add(entry, hasContent ? `${await store.tree(layer, signal)}/${path}` : undefined);
    }
    return await writer.commit();
  } finally {
    await writer.abandon();
  }
}

/** A mark hides what is below: where nothing is, there is none. */
function isMark({ type }: Entry): boolean {
  return type === 'whiteout' || type === 'opaque';
}

async function clamped(layer: Layer, { layers, options }: Around): Promise<Layer> {
  const epoch = clampEpoch(options);
  return epoch === undefined ? layer : await layers.clamp(layer, epoch);
}

/** The lines of layers that are no more say that they have none; a line of its own has the layer. */
function squashedHistory(history: readonly HistoryEntry[], kept: number, own: number): HistoryEntry[] {
  let seen = 0;
  const lines = history.map((line) => {
    if (line.empty_layer === true || seen++ < kept) return line;
    return { ...line, empty_layer: true };
  });
  const created = history.at(-1)?.created;
  const line = { created_by: `SQUASH ${own} layers`, comment: 'tsbuild' };
  return [...lines, created === undefined ? line : { created, ...line }];
}
