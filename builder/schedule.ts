import type { GraphStage, StageGraph } from '../src/containerfile/types.ts';
import { checkEntitlements } from './entitlements.ts';
import { LostLayer } from './remember.ts';
import { buildStage } from './stage.ts';
import type { BuiltStage, StageSources } from './state.ts';
import type { Tools } from './tools.ts';

/**
 * Builds a graph per platform, all at the same time, and returns the target of each. Steps that are equal are made once
 * (`remember` sees to it). The first failure is the build's.
 */
export async function scheduleAll(graphs: readonly StageGraph[], tools: Tools): Promise<BuiltStage[]> {
  const stop = new AbortController();
  const shared = { ...tools, signal: AbortSignal.any([tools.signal, stop.signal]) };
  const building = graphs.map((graph) =>
    schedule(graph, shared).catch((error: unknown) => stop.abort(error) as undefined),
  );
  const built = await Promise.all(building);
  tools.signal.throwIfAborted();
  stop.signal.throwIfAborted();
  return built.filter((one) => one !== undefined);
}

/**
 * Builds the stages that the target needs, each once, independent ones at the same time, and returns the target's.
 * Every needed stage starts at once and waits for another only where it reads it; `tools.gate` bounds the work.
 * The first failure is the build's: it stops the others, and is thrown once they have ended.
 */
export async function schedule(graph: StageGraph, tools: Tools): Promise<BuiltStage> {
  checkEntitlements(graph, tools.options);
  const stop = new AbortController();
  const stages = new Stages(graph, { ...tools, signal: AbortSignal.any([tools.signal, stop.signal]) });
  const building = graph.stages.map(({ stage }) =>
    stages.built(stage.index, false).catch((error: unknown) => stop.abort(error)),
  );
  await Promise.all(building);
  tools.signal.throwIfAborted();
  stop.signal.throwIfAborted();
  return await stages.built(graph.target, true);
}

class Stages implements StageSources {
  readonly #byIndex = new Map<number, GraphStage>();
  readonly #running = new Map<string, Promise<BuiltStage>>();
  /** Stages whose layers end up in the result: their bytes will be wanted. */
  readonly #carried: ReadonlySet<number>;
  readonly #graph: StageGraph;
  readonly #tools: Tools;

  constructor(graph: StageGraph, tools: Tools) {
    this.#graph = graph;
    this.#tools = tools;
    for (const stage of graph.stages) this.#byIndex.set(stage.stage.index, stage);
    this.#carried = this.#chainOf(graph.target);
  }

  /**
   * The stage's result. `obtainable` asks that the bytes of its layers can be had; without it a stage may be known
   * from records alone.
   */
  built(index: number, wanted: boolean): Promise<BuiltStage> {
    const obtainable = wanted || this.#carried.has(index);
    const key = `${index}/${obtainable}`;
    const running = this.#running.get(key) ?? this.#start(index, obtainable);
    this.#running.set(key, running);
    return running;
  }

  learn(index: number, triggers: readonly string[]): void {
    const known = [...this.#byIndex.values(), ...this.#graph.withTriggers(index, triggers).stages];
    this.#byIndex.clear();
    for (const stage of known.sort((a, b) => a.stage.index - b.stage.index)) {
      if (!this.#byIndex.has(stage.stage.index)) this.#byIndex.set(stage.stage.index, stage);
    }
  }

  /** The index of the stage that `COPY --from=name` means, or undefined for an image. */
  find(name: string): number | undefined {
    const wanted = name.toLowerCase();
    const named = [...this.#byIndex.values()].findLast(({ stage }) => stage.name === wanted);
    if (named !== undefined) return named.stage.index;
    return /^\d+$/.test(name) && this.#byIndex.has(Number(name)) ? Number(name) : undefined;
  }

  #chainOf(index: number): Set<number> {
    const chain = new Set([index]);
    for (const at of chain) {
      const base = this.#byIndex.get(at)?.base;
      if (base?.kind === 'stage') chain.add(base.index);
    }
    return chain;
  }

  /** A failure is reported by whoever waits; until then it must not count as unhandled. */
  #start(index: number, obtainable: boolean): Promise<BuiltStage> {
    const running = this.#build(index, obtainable);
    running.catch(() => {});
    return running;
  }

  async #build(index: number, obtainable: boolean): Promise<BuiltStage> {
    const stage = this.#byIndex.get(index)!;
    try {
      return await buildStage(stage, { graph: this.#graph, stages: this, obtainable }, this.#tools);
    } catch (error) {
      if (!(error instanceof LostLayer) || obtainable) throw error;
      return await this.built(index, true);
    }
  }
}
