import { LayeredView } from '../../builder/view.ts';
import type { Change } from '../core/events.ts';
import type { Layers } from '../core/store.ts';
import type { Entry, HistoryEntry, Image } from '../core/types.ts';
import { parseConfig } from '../oci/config.ts';
import { configChanges, historyChanges } from '../oci/config-diff.ts';
import { type FileChange, fileChanges } from '../oci/file-diff.ts';
import { type LookedAt, listingsOf } from './looked-at.ts';

/** What differs between two images, `a` and `b`: how `a` becomes `b`. */
export interface ImageDiff {
  readonly a: DiffSide;
  readonly b: DiffSide;
  /** How many of their lowest layers are the same. */
  readonly sharedLayers: number;
  readonly config: readonly Change[];
  readonly history?: { readonly removed: readonly HistoryEntry[]; readonly added: readonly HistoryEntry[] };
  readonly files: readonly FileChange[];
}

export interface DiffSide {
  readonly name: string;
  readonly id: string;
  readonly layers: number;
}

export interface Comparing {
  /** Whether the times of files and of the images count. */
  readonly times: boolean;
  /** Whether the steps that made them count. */
  readonly history: boolean;
  readonly store: Layers;
  readonly signal: AbortSignal;
}

/** Compares two images: their listings, where not all layers are the same. */
export async function compare(a: LookedAt, b: LookedAt, comparing: Comparing): Promise<ImageDiff> {
  const { times, history } = comparing;
  const [before, after] = [parseConfig(a.image.config), parseConfig(b.image.config)];
  const sharedLayers = sharedBelow(a.image, b.image);
  const isSame = [a, b].every(({ image }) => image.layers.length === sharedLayers);
  const [left, right] = isSame ? [[], []] : [await filesOf(a, comparing), await filesOf(b, comparing)];
  return {
    a: sideOf(a),
    b: sideOf(b),
    sharedLayers,
    config: configChanges(before, after, { times }),
    ...(history && { history: historyChanges(before.history ?? [], after.history ?? []) }),
    files: fileChanges(left, right, { times }),
  };
}

function sharedBelow(a: Image, b: Image): number {
  const first = a.layers.findIndex((layer, i) => layer.diffId !== b.layers[i]?.diffId);
  return first < 0 ? a.layers.length : first;
}

/** The root itself comes first. Listings are read side by side, which the view would not do. */
async function filesOf({ image }: LookedAt, { store, signal }: Comparing): Promise<Entry[]> {
  await listingsOf(image, store, signal);
  const view = LayeredView.of(image.layers, store, signal);
  const root = await view.lookup('');
  return [...(root === undefined ? [] : [root]), ...(await view.walk(''))];
}

function sideOf({ name, id, image }: LookedAt): DiffSide {
  return { name, id, layers: image.layers.length };
}
