import type { Layers } from '../core/store.ts';
import type { Image, Platform } from '../core/types.ts';
import { parseConfig } from '../oci/config.ts';
import { analyseLayers, type LayerAnalysis } from '../oci/layer-analysis.ts';
import { layersText } from './layers-text.ts';
import { listingsOf, lookAt } from './looked-at.ts';
import { shownOf } from './shown-layers.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

export interface LayersCommand {
  readonly name: string;
  readonly platform?: Platform;
  readonly json: boolean;
  /** Lines of each list at most. */
  readonly top: number;
  /** Of the screen; undefined where nothing is to be cut. */
  readonly columns: number | undefined;
}

/** Tells what the layers of an image hold: by instruction, the biggest in it, and what nobody sees any more. */
export async function layers(options: LayersCommand, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place, { emit: here.emit });
  const found = await lookAt(options, { parts, here });
  const analysis = await analyse(found.image, parts.store.layers, here.signal);
  const shown = shownOf(found, analysis, options.top);
  here.print(options.json ? `${JSON.stringify(shown, null, 2)}\n` : layersText(shown, options.columns));
}

async function analyse(image: Image, store: Layers, signal: AbortSignal): Promise<LayerAnalysis> {
  const listings = await listingsOf(image, store, signal);
  const layers = image.layers.map((layer, i) => ({
    diffId: layer.diffId,
    listing: listings[i]!,
    tarBytes: store.tarSize(layer),
    packedBytes: (layer.descriptor ?? store.descriptor(layer, 'any'))?.size,
  }));
  return analyseLayers(layers, parseConfig(image.config).history ?? []);
}
