import { type Digest, type Framed, keyOf } from '../src/core/digest.ts';
import type { StepResult } from '../src/core/store.ts';
import type { Layer, Snapshot } from '../src/core/types.ts';
import type { Tools } from './tools.ts';

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
  /** Ingredients of the second key; undefined where the first says it all. */
  readonly content?: (below: Snapshot) => Promise<Framed>;
  /** Does the work. `expected` are the content ingredients that the key was made of. */
  readonly make: (below: Snapshot, expected: Framed | undefined) => Promise<Layer>;
}

/** One way a stage may have gone: the snapshot, and when its newest own layer was made. */
export interface Candidate {
  readonly snapshot: Snapshot;
  /** ISO times of the layers this build added, oldest first. */
  readonly created: readonly string[];
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
}

/** A record outlived its layer's bytes and they are needed now: the stage is built again from what can be had. */
export class LostLayer extends Error {}

/** How many alternative results are followed side by side. */
const WIDTH = 8;

/**
 * Asks the cache for the step's result on each of the candidates, or does the work on the first of them. A key may
 * have several results (a RUN that writes something else each time); all are followed, newest first, so that a chain
 * that ends early under one result is found under another.
 */
export async function remember(
  candidates: readonly Candidate[],
  step: Recallable,
  policy: RecallPolicy,
  tools: Tools,
): Promise<Remembered> {
  const asks = { independent: step.independent === true, policy, tools };
  const known = recall(candidates, step.first, asks);
  if (known.length > 0) return hit(known.map((found) => found.next));
  const candidate = candidates.find(({ snapshot }) =>
    snapshot.layers.every((layer) => canBeHad(layer, tools)),
  );
  if (candidate === undefined) throw new LostLayer();
  const expected = await step.content?.(candidate.snapshot);
  const byContent = recall(candidates, expected, asks);
  if (byContent.length > 0) {
    await noteFirstKey(step, byContent[0]!, tools);
    return hit(byContent.map((found) => found.next));
  }
  return await makeOnce({ candidate, step, expected, policy, tools });
}

interface Found {
  readonly from: Candidate;
  readonly result: StepResult;
  readonly next: Candidate;
}

function hit(candidates: readonly Candidate[]): Remembered {
  return { candidates, layer: candidates[0]!.snapshot.layers.at(-1)!, cached: true };
}

interface Asks {
  readonly independent: boolean;
  readonly policy: RecallPolicy;
  readonly tools: Tools;
}

function recall(
  candidates: readonly Candidate[],
  ingredients: Framed | undefined,
  { independent, policy, tools }: Asks,
): Found[] {
  if (ingredients === undefined) return [];
  const found = candidates.flatMap((from) =>
    resultsOf(keyOf(onTop(from.snapshot, ingredients, independent)), policy, tools)
      .filter((result) => !policy.obtainable || canBeHad(result.layer, tools))
      .map((result) => ({ from, result, next: extend(from, result) })),
  );
  return found.slice(0, WIDTH);
}

/** What is known of a key; where nothing is to be looked up, what this very build has made counts all the same. */
function resultsOf(key: Digest, { lookUp }: RecallPolicy, { store, made }: Tools): readonly StepResult[] {
  if (lookUp) return store.records.find(key);
  const own = made.get(key);
  return own === undefined ? [] : [own];
}

/** Whether a layer's bytes are here or known to be somewhere. */
export function canBeHad(layer: Layer, tools: Tools): boolean {
  const { layers } = tools.store;
  if (layers.isAtHand(layer) || (layer.origins?.length ?? 0) > 0) return true;
  return layer.descriptor !== undefined && layers.origins(layer.descriptor.digest).length > 0;
}

function onTop(below: Snapshot, ingredients: Framed, independent: boolean): Framed {
  return { below: independent ? [] : below.layers.map((layer) => layer.diffId), step: ingredients };
}

function extend(from: Candidate, { layer, created }: StepResult): Candidate {
  return {
    snapshot: { ...from.snapshot, layers: [...from.snapshot.layers, layer] },
    created: [...from.created, created],
  };
}

/** A hit on the content also answers the first key from now on. */
async function noteFirstKey(step: Recallable, { from, result }: Found, tools: Tools): Promise<void> {
  if (step.first === undefined) return;
  const ingredients = onTop(from.snapshot, step.first, step.independent === true);
  await tools.store.records.put(keyOf(ingredients), result, ingredients);
}

interface Work {
  readonly candidate: Candidate;
  readonly step: Recallable;
  readonly expected: Framed | undefined;
  readonly policy: RecallPolicy;
  readonly tools: Tools;
}

/** Does the work while no other build does the same; what another build finished meanwhile is taken. */
async function makeOnce({ candidate, step, expected, policy, tools }: Work): Promise<Remembered> {
  const { records } = tools.store;
  const independent = step.independent === true;
  const first = step.first === undefined ? undefined : onTop(candidate.snapshot, step.first, independent);
  const main = expected === undefined ? first! : onTop(candidate.snapshot, expected, independent);
  await using _lock = await records.lock(keyOf(main), tools.signal);
  const meanwhile = recall([candidate], expected ?? step.first, { independent, policy, tools });
  if (meanwhile.length > 0) return hit(meanwhile.map((found) => found.next));
  const layer = await tools.gate(() => step.make(candidate.snapshot, expected));
  const result = { layer, created: new Date().toISOString() };
  for (const ingredients of first === undefined || first === main ? [main] : [main, first]) {
    await records.put(keyOf(ingredients), result, ingredients);
    tools.made.set(keyOf(ingredients), result);
  }
  return { candidates: [extend(candidate, result)], layer, cached: false };
}
