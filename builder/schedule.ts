import { parseTrigger } from '../src/containerfile/parse.ts';
import type { GraphStage, StageGraph } from '../src/containerfile/types.ts';
import { BuildError } from '../src/core/errors.ts';
import { checkEntitlements } from './entitlements.ts';
import { LostLayer } from './remember.ts';
import { shapeOf } from './shapes.ts';
import { buildStage } from './stage.ts';
import type { BuiltStage, StageSources } from './state.ts';
import type { Tools } from './tools.ts';

/** A graph as it was built. */
export interface BuiltGraph {
  readonly target: BuiltStage;
  /** Every stage that was built, the target included, in the order of the file. */
  readonly stages: readonly BuiltStage[];
}

/**
 * Builds a graph per platform, all at the same time. Steps that are equal are made once (`remember` sees to it). The
 * first failure is the build's.
 */
export async function scheduleAll(graphs: readonly StageGraph[], tools: Tools): Promise<BuiltGraph[]> {
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
 * Builds the stages that the target needs, each once, independent ones at the same time.
 * Every needed stage starts at once and waits for another only where it reads it; `tools.gate` bounds the work.
 * The first failure is the build's: it stops the others, and is thrown once they have ended.
 */
export async function schedule(graph: StageGraph, tools: Tools): Promise<BuiltGraph> {
  checkEntitlements(graph, tools.options);
  const { lost } = tools.store.layers;
  for (;;) {
    const known = lost.size;
    try {
      return await buildStages(graph, tools);
    } catch (error) {
      if (!(error instanceof LostLayer)) throw error;
      for (const diffId of error.missing) lost.add(diffId);
      // What is known to be gone counts no longer: the steps in question are made again.
      if (lost.size === known) throw bytesGone(error);
    }
  }
}

/** Something that was built on or asked for went away while it was needed, and nobody else has it. */
function bytesGone(cause: LostLayer): BuildError {
  return new BuildError('not-found', cause.message, {
    cause,
    hint: 'Pull the base image again, or build with --no-cache.',
  });
}

async function buildStages(graph: StageGraph, tools: Tools): Promise<BuiltGraph> {
  const stop = new AbortController();
  const stages = new Stages(graph, { ...tools, signal: AbortSignal.any([tools.signal, stop.signal]) });
  const building = graph.stages.map(({ stage }) =>
    stages.built(stage.index, false).catch(async (error: unknown) => {
      await tools.debug?.idle();
      stop.abort(error);
    }),
  );
  await Promise.all(building);
  tools.signal.throwIfAborted();
  stop.signal.throwIfAborted();
  const target = await stages.built(graph.target, true);
  return { target, stages: await stages.all() };
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
    const obtainable = wanted || this.#carried.has(index) || this.#tools.debug?.breaksIn(index) === true;
    const key = `${index}/${obtainable}`;
    const running = this.#running.get(key) ?? this.#start(index, obtainable);
    this.#running.set(key, running);
    return running;
  }

  /** What was built so far, in the order of the file; of a stage that was built twice, what can be had. */
  async all(): Promise<readonly BuiltStage[]> {
    const built = new Map<number, BuiltStage>();
    for (const [key, running] of this.#running) {
      const [index, obtainable] = key.split('/') as [string, string];
      if (obtainable === 'true' || !this.#running.has(`${index}/true`))
        built.set(Number(index), await running);
    }
    return [...built].sort(([a], [b]) => a - b).map(([, stage]) => stage);
  }

  learn(index: number, triggers: readonly string[]): void {
    const { stages } = this.#graph.withTriggers(index, triggers);
    this.#tellMore(index, triggers, stages);
    const known = [...this.#byIndex.values(), ...stages];
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

  /** What people see has more steps than the file shows. */
  #tellMore(index: number, triggers: readonly string[], stages: readonly GraphStage[]): void {
    const graph = this.#graph;
    const { emit, options } = this.#tools;
    const parsed = triggers.map((trigger) => parseTrigger(trigger, graph.containerfile.escape));
    const more = stages.filter(({ stage }) => stage.index === index || !this.#byIndex.has(stage.index));
    const shapes = more.map((one) =>
      shapeOf(one, { graph, options, triggers: one.stage.index === index ? parsed : [] }),
    );
    emit({ type: 'graph', stages: shapes });
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
      if (!(error instanceof LostLayer) || error.isNews || obtainable) throw error;
      return await this.built(index, true);
    }
  }
}
