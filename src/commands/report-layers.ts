import type { Digest } from '../core/digest.ts';
import type { StageShape } from '../core/events.ts';
import { formatPlatform } from '../core/platform.ts';
import type { Store } from '../core/store.ts';
import type { HistoryEntry, Layer, Listing } from '../core/types.ts';
import { parseConfig } from '../oci/config.ts';
import { analyseLayers, type LayerAnalysis } from '../oci/layer-analysis.ts';
import { instructionOf } from '../oci/layer-history.ts';
import { biggestDirectories, biggestFiles } from '../oci/layer-tree.ts';
import type { ImageReport, TreeNode } from '../report/html/report-data.ts';
import type { Story } from '../report/html/story.ts';

/** What a report shows of layers. */
export interface ReportLayers {
  readonly images: readonly ImageReport[];
  /** What the layers of steps hold, by the step's id. */
  readonly trees: ReadonlyMap<string, TreeNode>;
}

/** Layers that lie on each other, the lowest first. */
interface Chain {
  readonly stage: StageShape;
  readonly layers: readonly ChainLayer[];
  readonly image?: { readonly id: Digest; readonly history: readonly HistoryEntry[] };
}

interface ChainLayer {
  readonly layer: Layer;
  /** Id of the step that made it, or of the FROM that brought it. */
  readonly step: string | undefined;
  readonly isBase: boolean;
}

interface Looked {
  readonly analysis: LayerAnalysis;
  /** Of each layer, where it is at hand. */
  readonly listings: readonly (Listing | undefined)[];
}

/** Entries in lists of a report. */
const most = { paths: 50, losses: 200 };

/**
 * Looks at the layers of a build: of its image, or of what a failed build came to, and of the stages besides. Of layers
 * that are not at hand nothing is known; none is fetched.
 */
export async function reportLayers(story: Story, store: Store, signal: AbortSignal): Promise<ReportLayers> {
  const chains = story.stages.map((stage) => ({ stage, layers: chainOf(stage, story) }));
  const ends = chains.filter(({ stage }) => !story.stages.some(({ needs }) => needs.includes(stage.id)));
  const targets = await Promise.all(ends.map((chain) => asStored(chain, story, store)));
  const besides = chains.filter((chain) => !ends.includes(chain) && !isPart(chain, chains));
  const trees = new Map<string, TreeNode>();
  const images: ImageReport[] = [];
  for (const chain of targets) {
    const looked = lookAt(chain, await listingsOf(chain, store, signal));
    takeTrees(chain, looked, trees);
    if (chain.layers.length > 0) images.push(imageOf(chain, looked, story));
  }
  for (const chain of besides) {
    const listings = narrowed(chain, await listingsOf(chain, store, signal), trees);
    takeTrees(chain, lookAt(chain, listings), trees);
  }
  return { images, trees };
}

/** The layers of a stage as events tell of them: those it begins with, and its steps'. */
function chainOf(stage: StageShape, { stages, steps }: Story, way: readonly string[] = []): ChainLayer[] {
  const own = steps.filter((step) => step.stage === stage.id);
  const from = own.find(({ base }) => base !== undefined);
  const below = stages.find(({ id, name }) => stage.needs.includes(id) && name === stage.base);
  const base =
    from === undefined && below !== undefined && !way.includes(below.id)
      ? chainOf(below, { stages, steps } as Story, [...way, stage.id])
      : (from?.base ?? []).map((diffId) => ({ layer: { diffId, own: false }, step: from?.id, isBase: true }));
  const made = own.flatMap(({ id, diffId }) =>
    diffId === undefined ? [] : [{ layer: { diffId, own: true }, step: id, isBase: false }],
  );
  return [...base, ...made];
}

/** All of it lies below another stage, whose layers tell the same and more. */
function isPart(chain: Chain, chains: readonly Chain[]): boolean {
  return chains.some(
    (other) =>
      other.layers.length > chain.layers.length &&
      chain.layers.every(({ layer }, i) => other.layers[i]?.layer.diffId === layer.diffId),
  );
}

/** The image as it was stored: its layers may be others than the steps' (times set back, squashed), and it has a history. */
async function asStored(chain: Chain, { build }: Story, store: Store): Promise<Chain> {
  const found = build.image === undefined ? undefined : await store.images.find(build.image);
  if (found === undefined || formatPlatform(found.image.platform) !== chain.stage.platform) return chain;
  const { layers, config } = found.image;
  const told = (layer: Layer, i: number): ChainLayer | undefined =>
    layers.length === chain.layers.length
      ? chain.layers[i]
      : chain.layers.find((one) => one.layer.diffId === layer.diffId);
  return {
    stage: chain.stage,
    layers: layers.map((layer, i) => {
      const { step, isBase = false } = told(layer, i) ?? {};
      return { layer, step, isBase };
    }),
    image: { id: found.id, history: parseConfig(config).history ?? [] },
  };
}

async function listingsOf({ layers }: Chain, store: Store, signal: AbortSignal): Promise<Looked['listings']> {
  return await Promise.all(layers.map(({ layer }) => listingOf(layer, store, signal)));
}

async function listingOf(layer: Layer, { layers }: Store, signal: AbortSignal): Promise<Listing | undefined> {
  const known = layers.knownListing(layer.diffId);
  if (known !== undefined || !layers.isAtHand(layer)) return known;
  return await layers.listing(layer, signal);
}

/**
 * Of layers that nothing is to be told of any more, what is in the way of the others: a base is big, and the stages on it
 * may be many.
 */
function narrowed(
  { layers }: Chain,
  listings: Looked['listings'],
  told: ReadonlyMap<string, TreeNode>,
): Looked['listings'] {
  const isTold = ({ step, isBase }: ChainLayer): boolean => isBase || step === undefined || told.has(step);
  const paths = new Set(
    layers.flatMap((layer, i) => (isTold(layer) ? [] : (listings[i] ?? []).map(({ path }) => path))),
  );
  return listings.map((listing, i) =>
    isTold(layers[i]!) ? listing?.filter(({ path }) => paths.has(path)) : listing,
  );
}

function lookAt({ layers, image }: Chain, listings: Looked['listings']): Looked {
  const known = layers.map(({ layer }, i) => ({ diffId: layer.diffId, listing: listings[i] ?? [] }));
  return { analysis: analyseLayers(known, image?.history ?? []), listings };
}

/** The first chain that a step is part of tells of its layer: images come before other stages. */
function takeTrees({ layers }: Chain, { analysis, listings }: Looked, trees: Map<string, TreeNode>): void {
  layers.forEach(({ step, isBase }, i) => {
    if (step !== undefined && !isBase && listings[i] !== undefined && !trees.has(step))
      trees.set(step, analysis.layers[i]!.tree);
  });
}

function imageOf({ stage, layers, image }: Chain, { analysis, listings }: Looked, story: Story): ImageReport {
  const texts = new Map(story.steps.map(({ id, text }) => [id, text]));
  return {
    title: story.build.outcome === 'done' ? 'Image' : `Layers of ${stage.name}, so far`,
    platform: stage.platform,
    layers: layers.map(({ layer, step }, i) => ({
      diffId: layer.diffId,
      createdBy: wordsOf(analysis.layers[i]?.history) ?? texts.get(step ?? '') ?? '',
      ...(step !== undefined && { step }),
      ...(listings[i] !== undefined && { tree: analysis.layers[i]!.tree }),
    })),
    bytes: analysis.bytes,
    lost: analysis.lost,
    biggestFiles: biggestFiles(analysis.image, most.paths),
    biggestFolders: biggestDirectories(analysis.image, most.paths),
    losses: analysis.losses.slice(0, most.losses),
    ...(image !== undefined && { id: image.id }),
  };
}

function wordsOf(entry: HistoryEntry | undefined): string | undefined {
  return entry?.created_by === undefined ? undefined : instructionOf(entry);
}
