import { formatPlatform } from '../core/platform.ts';
import type { AnalysedLayer, LayerAnalysis } from '../oci/layer-analysis.ts';
import { instructionOf } from '../oci/layer-history.ts';
import { biggestDirectories, biggestFiles, type Sized } from '../oci/layer-tree.ts';
import type { LookedAt } from './looked-at.ts';

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

/** What is shown of an analysis, with at most `top` of each list. */
export function shownOf({ name, id, image }: LookedAt, analysis: LayerAnalysis, top: number): ShownLayers {
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
