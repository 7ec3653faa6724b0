import { type Digest, type Framed, keyOf } from '../src/core/digest.ts';
import type { FileList } from '../src/core/ingredients.ts';
import type { StepResult } from '../src/core/store.ts';
import type { Layer, Snapshot } from '../src/core/types.ts';

/**
 * A step as the cache sees it. `first` names everything the step can see without reading anything (diffIds of what
 * it reads included); `content` names the content of what it reads, where reading is needed. What is below the step
 * enters every key here, so neither has to name it.
 */
export interface Recallable {
  /** Ingredients of the key that needs nothing at hand; undefined where the step can only be known by reading. */
  readonly first: Framed | undefined;
  /** True where the layer does not depend on what is below it (`COPY --link`). */
  readonly independent?: boolean;
  /**
   * Ingredients of the second key; undefined where the first says it all. `below` is what the work would be done on,
   * where that can be read: it may be begun on the way.
   */
  readonly content?: (below: Snapshot | undefined) => Promise<Framed>;
  /** The files that digests among the content ingredients stand for; asked once those are known. */
  readonly lists?: () => readonly FileList[];
  /** Does the work. `expected` are the content ingredients that the key was made of. */
  readonly make: (below: Snapshot, expected: Framed | undefined) => Promise<Layer>;
}

/** A step that was taken: the key that led to its result, the first one where there are two. */
export interface Taken {
  readonly key: Digest;
  readonly result: StepResult;
}

/** One way a stage may have gone: the snapshot, and the steps that made its own layers, oldest first. */
export interface Candidate {
  readonly snapshot: Snapshot;
  readonly taken: readonly Taken[];
}

export interface Remembered {
  readonly candidates: readonly Candidate[];
  readonly layer: Layer;
  readonly cached: boolean;
}

export interface RecallPolicy {
  /** False for `--no-cache`: nothing is looked up, the new result goes in front of older ones. */
  readonly lookUp: boolean;
  /** Only results whose bytes can be had count. */
  readonly obtainable: boolean;
  /** Told before the work is done that it has to be, and of a result that is known by content alone. */
  readonly learn?: (learnt: Learnt) => void;
}

/** What a step turned out to be while it was looked up. */
export interface Learnt {
  readonly below: readonly Digest[];
  readonly first: Framed | undefined;
  readonly content: Framed | undefined;
  readonly lists: () => readonly FileList[];
  /** The key that will lead to its result, the first one where there are two. */
  readonly key: Digest;
  readonly contentKey: Digest | undefined;
  /** The result is known already. */
  readonly cached: boolean;
}

/** All ingredients of a key: what is below the step, and one side of the step itself. */
export function onTop(below: Snapshot, ingredients: Framed, { independent = false }: Recallable): Framed {
  return { below: independent ? [] : below.layers.map((layer) => layer.diffId), step: ingredients };
}

/** What a step is on top of a candidate. */
export function learntOf(
  { snapshot }: Candidate,
  content: Framed | undefined,
  step: Recallable,
): Omit<Learnt, 'cached'> {
  const { first, independent = false } = step;
  const keyIn = (part: Framed) => keyOf(onTop(snapshot, part, step));
  const contentKey = content === undefined ? undefined : keyIn(content);
  return {
    below: independent ? [] : snapshot.layers.map(({ diffId }) => diffId),
    first,
    content,
    lists: () => step.lists?.() ?? [],
    key: first === undefined ? contentKey! : keyIn(first),
    contentKey: first === undefined ? undefined : contentKey,
  };
}
