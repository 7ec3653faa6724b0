import { clampEpoch } from '../src/core/clamp-epoch.ts';
import { type Digest, type Framed, keyOf } from '../src/core/digest.ts';
import { BuildError } from '../src/core/errors.ts';
import { timed, timedGate } from '../src/core/spans.ts';
import type { Layers, SharedResults, StepResult } from '../src/core/store.ts';
import type { Layer, Snapshot } from '../src/core/types.ts';
import {
  type Candidate,
  learntOf,
  onTop,
  type Recallable,
  type RecallPolicy,
  type Remembered,
  type Taken,
} from './recallable.ts';
import type { Tools } from './tools.ts';

export type { Candidate, Learnt, Recallable, RecallPolicy, Remembered, Taken } from './recallable.ts';

/** A record outlived its layer's bytes and they are needed now: the stage is built again from what can be had. */
export class LostLayer extends Error {
  /** diffIds of what is missing. */
  readonly missing: readonly Digest[];
  /** What could be had until now cannot: no stage that was built with it can stay. */
  readonly isNews: boolean;

  constructor(missing: readonly Digest[], isNews = false) {
    super('a layer is needed whose bytes are gone');
    this.missing = missing;
    this.isNews = isNews;
  }
}

/** How many alternative results are followed side by side. */
const WIDTH = 8;

/**
 * Asks the cache for the step's result on each of the candidates, or does the work on the first of them. A key may
 * have several results (a RUN that writes something else each time); all are followed, newest first and those of
 * cache sources last, so that a chain that ends early under one result is found under another.
 */
export async function remember(
  candidates: readonly Candidate[],
  step: Recallable,
  policy: RecallPolicy,
  tools: Tools,
): Promise<Remembered> {
  const { lost } = tools.store.layers;
  const before = lost.size;
  try {
    const shared = policy.lookUp ? await tools.shared() : undefined;
    return await recallOrMake(candidates, { step, policy, tools, shared });
  } catch (error) {
    if (error instanceof BuildError && lost.size > before) throw new LostLayer([], true);
    throw error;
  }
}

async function recallOrMake(candidates: readonly Candidate[], asks: Asks): Promise<Remembered> {
  const { step, tools } = asks;
  const known = await recall(candidates, step.first, asks);
  if (known.length > 0) return hit(known, undefined, asks);
  const candidate = candidates.find(({ snapshot }) => missingOf(snapshot, tools).length === 0);
  const expected = await step.content?.(candidate?.snapshot);
  const byContent = await recall(candidates, expected, asks);
  if (byContent.length > 0) return await hitByContent(byContent, expected!, asks);
  if (candidate === undefined) throw new LostLayer(missingOf(candidates[0]!.snapshot, tools));
  return await makeOnce({ candidate, expected, asks });
}

/** diffIds of the layers whose bytes cannot be had. */
export function missingOf({ layers }: Pick<Snapshot, 'layers'>, tools: Pick<Tools, 'store'>): Digest[] {
  return layers.filter((layer) => !canBeHad(layer, tools)).map(({ diffId }) => diffId);
}

interface Asks {
  readonly step: Recallable;
  readonly policy: RecallPolicy;
  readonly tools: Tools;
  /** Undefined where nothing is to be looked up. */
  readonly shared: SharedResults | undefined;
}

interface Found {
  readonly from: Candidate;
  readonly taken: Taken;
}

/** Of what others have made, the ingredients are known here for the first time. */
function hit(found: readonly Found[], content: Framed | undefined, { step, policy }: Asks): Remembered {
  const [{ from, taken }] = found as [Found];
  const isOthers = (taken.result.layer.origins?.length ?? 0) > 0;
  if (isOthers) policy.learn?.({ ...learntOf(from, content, step), cached: true });
  return recalled(found);
}

function recalled(found: readonly Found[]): Remembered {
  const candidates = found.map(({ from, taken }) => extend(from, taken));
  return { candidates, layer: found[0]!.taken.result.layer, cached: true };
}

/** A hit on the content also answers the first key from now on. */
async function hitByContent(found: readonly Found[], content: Framed, asks: Asks): Promise<Remembered> {
  const { step, policy, tools } = asks;
  const { first } = step;
  if (first === undefined) return hit(found, content, asks);
  policy.learn?.({ ...learntOf(found[0]!.from, content, step), cached: true });
  const both = found.map(({ from, taken }) => {
    const ingredients = onTop(from.snapshot, first, step);
    const result = { ...taken.result, contentKey: taken.key };
    return { from, ingredients, taken: { key: keyOf(ingredients), result } };
  });
  const [{ taken, ingredients }] = both as [(typeof both)[number]];
  await tools.store.records.put(taken.key, keptOf(taken.result), ingredients);
  return recalled(both);
}

async function recall(
  candidates: readonly Candidate[],
  ingredients: Framed | undefined,
  asks: Asks,
): Promise<Found[]> {
  if (ingredients === undefined) return [];
  const found: Found[] = [];
  for (const from of candidates) {
    for (const taken of await resultsOf(onTop(from.snapshot, ingredients, asks.step), asks)) {
      if (isUsable(taken.result, asks)) found.push({ from, taken });
    }
  }
  return found.slice(0, WIDTH);
}

/** Where bytes are wanted they must be had, if only those of the layer with its times clamped as the output wants it. */
function isUsable({ layer, clamped }: StepResult, { policy, tools }: Asks): boolean {
  if (!policy.obtainable || canBeHad(layer, tools)) return true;
  const isWanted = clamped !== undefined && clamped.epoch === clampEpoch(tools.options);
  const { lost } = tools.store.layers;
  return isWanted && !lost.has(layer.diffId) && canBeHad(clamped.layer, tools);
}

/**
 * What is known of a key; where nothing is to be looked up, what this very build has made counts all the same. A key
 * that only the sources know is known here from now on.
 */
async function resultsOf(
  ingredients: Framed,
  { shared, tools: { store, made } }: Asks,
): Promise<readonly Taken[]> {
  const key = keyOf(ingredients);
  if (shared === undefined) {
    const own = made.get(key);
    return own === undefined ? [] : [{ key, result: own }];
  }
  const own = store.records.find(key);
  const others = shared.find(key);
  if (own.length === 0 && others.length > 0) await store.records.put(key, keptOf(others[0]!), ingredients);
  return joined(own, others, store.layers).map((result) => ({ key, result }));
}

/** Own results and those of others; where an own one has outlived its bytes, the source's place of them counts. */
function joined(
  own: readonly StepResult[],
  others: readonly StepResult[],
  layers: Pick<Layers, 'isAtHand'>,
): readonly StepResult[] {
  if (others.length === 0) return own;
  const same = (a: StepResult) => (b: StepResult) => a.layer.diffId === b.layer.diffId;
  const nearest = own.map((result) =>
    layers.isAtHand(result.layer) ? result : { ...result, ...placeIn(others.find(same(result))) },
  );
  return [...nearest, ...others.filter((other) => !own.some(same(other)))];
}

function placeIn(other: StepResult | undefined): Pick<StepResult, 'layer' | 'clamped'> | undefined {
  if (other === undefined) return undefined;
  const { layer, clamped } = other;
  return { layer, ...(clamped && { clamped }) };
}

/** What is kept of a result: not its place in a source, which has to be asked anew whether it still has it. */
function keptOf({ layer, created, contentKey }: StepResult): StepResult {
  const { origins: _, ...kept } = layer;
  return { layer: kept, created, ...(contentKey && { contentKey }) };
}

/** Whether a layer's bytes are here or known to be somewhere. */
export function canBeHad(layer: Layer, tools: Pick<Tools, 'store'>): boolean {
  const { layers } = tools.store;
  if (layers.isAtHand(layer)) return true;
  if (layers.lost.has(layer.diffId)) return false;
  if ((layer.origins?.length ?? 0) > 0) return true;
  return layer.descriptor !== undefined && layers.origins(layer.descriptor.digest).length > 0;
}

function extend(from: Candidate, taken: Taken): Candidate {
  const layers = [...from.snapshot.layers, taken.result.layer];
  return { snapshot: { ...from.snapshot, layers }, taken: [...from.taken, taken] };
}

interface Work {
  readonly candidate: Candidate;
  readonly expected: Framed | undefined;
  readonly asks: Asks;
}

/** Does the work while no other build does the same; what another build finished meanwhile is taken. */
async function makeOnce({ candidate, expected, asks }: Work): Promise<Remembered> {
  const { policy, step, tools } = asks;
  const { records } = tools.store;
  const first = step.first === undefined ? undefined : onTop(candidate.snapshot, step.first, step);
  const main = expected === undefined ? first! : onTop(candidate.snapshot, expected, step);
  await using _lock = await timed(tools.emit, 'wait', () => records.lock(keyOf(main), tools.signal));
  const meanwhile = await recall([candidate], expected ?? step.first, asks);
  if (meanwhile.length > 0)
    return expected === undefined
      ? hit(meanwhile, undefined, asks)
      : await hitByContent(meanwhile, expected, asks);
  policy.learn?.({ ...learntOf(candidate, expected, step), cached: false });
  const turn = timedGate(tools.gate, tools.emit);
  const layer = await turn(() => step.make(candidate.snapshot, expected));
  const made = { layer, created: new Date().toISOString() };
  const note = async (ingredients: Framed, result: StepResult): Promise<Taken> => {
    // What somebody made by hand is no result of the step: its key is one that nobody asks for.
    if (layer.byHand) return { key: keyOf({ byHand: ingredients }), result };
    const key = keyOf(ingredients);
    await records.put(key, result, ingredients);
    tools.made.set(key, result);
    return { key, result };
  };
  let taken = await note(main, made);
  if (first !== undefined && first !== main) taken = await note(first, { ...made, contentKey: taken.key });
  return { candidates: [extend(candidate, taken)], layer, cached: false };
}
