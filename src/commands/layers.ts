import { formatPlatform } from '../core/platform.ts';
import type { Layers } from '../core/store.ts';
import type { Image, Platform } from '../core/types.ts';
import { parseConfig } from '../oci/config.ts';
import { type AnalysedLayer, analyseLayers, type LayerAnalysis } from '../oci/layer-analysis.ts';
import { instructionOf } from '../oci/layer-history.ts';
import { biggestDirectories, biggestFiles, type Sized } from '../oci/layer-tree.ts';
import { layersText } from './layers-text.ts';
import { type LookedAt, listingsOf, lookAt } from './looked-at.ts';
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

/** What is shown of an image's layers; layers are numbered from 1, the lowest first. */
export interface ShownLayers {
  readonly name: string;
  readonly id: string;
  readonly platform: string;
  /** Bytes of all files of all layers, and of those the bytes that later layers replaced or removed. */
  readonly bytes: number;
  readonly lost: number;
  readonly efficiency: number;
  readonly layers: readonly ShownLayer[];
  readonly biggestFiles: readonly ShownFile[];
  readonly biggestDirectories: readonly ShownFile[];
  readonly losses: readonly ShownLoss[];
  readonly copies: LayerAnalysis['copies'];
}

interface ShownLayer {
  readonly number: number;
  readonly diffId: string;
  /** As the history has it. */
  readonly createdBy: string | undefined;
  readonly created: string | undefined;
  readonly instruction: string;
  readonly bytes: number;
  readonly files: number;
  readonly lost: number;
  readonly tarBytes: number | undefined;
  readonly packedBytes: number | undefined;
}

type ShownFile = Omit<Sized, 'lost'>;
type ShownLoss = LayerAnalysis['losses'][number];

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

function shownOf({ name, id, image }: LookedAt, analysis: LayerAnalysis, top: number): ShownLayers {
  const { bytes, lost, efficiency, losses, copies } = analysis;
  return {
    name,
    id,
    platform: formatPlatform(image.platform),
    bytes,
    lost,
    efficiency,
    layers: analysis.layers.map(shownLayer),
    biggestFiles: biggestFiles(analysis.image, top).map(shownFile),
    biggestDirectories: biggestDirectories(analysis.image, top).map(shownFile),
    losses: losses.slice(0, top).map((loss) => ({ ...loss, layer: loss.layer + 1, by: loss.by + 1 })),
    copies: copies.slice(0, top),
  };
}

function shownLayer({ diffId, history, tarBytes, packedBytes, tree }: AnalysedLayer, i: number): ShownLayer {
  return {
    number: i + 1,
    diffId,
    createdBy: history?.created_by,
    created: history?.created,
    instruction: history === undefined ? '' : instructionOf(history),
    bytes: tree.bytes,
    files: tree.files,
    lost: tree.lost,
    tarBytes,
    packedBytes,
  };
}

function shownFile({ path, bytes, files, layer }: Sized): ShownFile {
  return { path, bytes, files, layer: layer + 1 };
}
