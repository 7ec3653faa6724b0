import type { Digest } from '../core/digest.ts';
import type { HistoryEntry, Listing } from '../core/types.ts';
import { historyOfLayers } from './layer-history.ts';
import { type Loss, Stack } from './layer-stack.ts';
import { type Content, type Draft, type FileNode, treeOf } from './layer-tree.ts';

/** A layer to be looked at. */
export interface LayerToAnalyse {
  readonly diffId: Digest;
  readonly listing: Listing;
  /** Bytes of its tar, where known. */
  readonly tarBytes?: number | undefined;
  /** Bytes of the form in which it is sent, where known. */
  readonly packedBytes?: number | undefined;
}

/** What the layers of an image hold, and what of that nobody sees any more. */
export interface LayerAnalysis {
  /** The lowest first. */
  readonly layers: readonly AnalysedLayer[];
  /** The files that the image shows in the end. */
  readonly image: FileNode;
  /** Bytes of the files of all layers. */
  readonly bytes: number;
  /** Of those, the bytes that later layers replaced or removed. */
  readonly lost: number;
  /** The part of `bytes` that the image shows, from 0 to 1; 1 for an image without content. */
  readonly efficiency: number;
  /** Where the lost bytes are, the most first. */
  readonly losses: readonly Loss[];
  /** Contents that the image shows in several files of their own, those that could be spared most first. */
  readonly copies: readonly Copies[];
}

export interface AnalysedLayer {
  readonly diffId: Digest;
  /** The instruction that made it, where the history tells. */
  readonly history?: HistoryEntry;
  readonly tarBytes?: number;
  readonly packedBytes?: number;
  /** Its files; `bytes`, `files` and `lost` of this root are the layer's own. */
  readonly tree: FileNode;
}

/** One content in several files. */
export interface Copies {
  readonly digest: Digest;
  /** Of one of them. */
  readonly bytes: number;
  /** Sorted. */
  readonly paths: readonly string[];
}

/** Looks at layers, the lowest first, as they lie on each other. Pure: listings and history are all it knows. */
export function analyseLayers(
  layers: readonly LayerToAnalyse[],
  history: readonly HistoryEntry[],
): LayerAnalysis {
  const stack = new Stack();
  const drafts = layers.map(({ listing }, index) => stack.add(listing, index));
  const entries = historyOfLayers(layers.length, history);
  const trees = drafts.map(treeOf);
  const bytes = trees.reduce((sum, tree) => sum + tree.bytes, 0);
  const lost = trees.reduce((sum, tree) => sum + tree.lost, 0);
  return {
    layers: layers.map((layer, i) => describe(layer, trees[i]!, entries[i])),
    image: treeOf(stack.image),
    bytes,
    lost,
    efficiency: bytes === 0 ? 1 : (bytes - lost) / bytes,
    losses: stack.losses.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1)),
    copies: copiesIn(stack.image),
  };
}

function describe(
  { diffId, tarBytes, packedBytes }: LayerToAnalyse,
  tree: FileNode,
  history: HistoryEntry | undefined,
): AnalysedLayer {
  return {
    diffId,
    ...(history !== undefined && { history }),
    ...(tarBytes !== undefined && { tarBytes }),
    ...(packedBytes !== undefined && { packedBytes }),
    tree,
  };
}

function copiesIn(image: Draft): Copies[] {
  const found = new Map<Digest, { readonly contents: Set<Content>; readonly paths: string[] }>();
  const look = (draft: Draft, path: string): void => {
    const { content } = draft;
    if (content?.digest !== undefined && content.bytes > 0) {
      const known = found.get(content.digest) ?? { contents: new Set(), paths: [] };
      found.set(content.digest, known);
      if (!known.contents.has(content)) known.paths.push(path);
      known.contents.add(content);
    }
    for (const child of draft.children.values())
      look(child, path === '' ? child.name : `${path}/${child.name}`);
  };
  look(image, '');
  return [...found]
    .filter(([, { paths }]) => paths.length > 1)
    .map(([digest, { contents, paths }]) => ({ digest, bytes: [...contents][0]!.bytes, paths: paths.sort() }))
    .sort((a, b) => spared(b) - spared(a));
}

function spared({ bytes, paths }: Copies): number {
  return bytes * (paths.length - 1);
}
