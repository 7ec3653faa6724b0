import { makesLayer } from '../src/containerfile/layer-kinds.ts';
import type { GraphStage, Instruction, StageGraph } from '../src/containerfile/types.ts';
import type { StageShape } from '../src/core/events.ts';
import { hideLogins } from '../src/core/logins.ts';
import type { BuildOptions } from '../src/core/options.ts';
import { formatPlatform } from '../src/core/platform.ts';
import { stageId } from './state.ts';

/** The stages of all platforms as a picture of the build shows them. */
export function shapesOf(graphs: readonly StageGraph[], options: BuildOptions): StageShape[] {
  return graphs.flatMap((graph) => graph.stages.map((stage) => shapeOf(stage, { graph, options })));
}

interface Surroundings {
  readonly graph: StageGraph;
  readonly options: BuildOptions;
  /** What the base image has triggered. */
  readonly triggers?: readonly Instruction[];
}

/** One stage as a picture shows it. */
export function shapeOf(graphStage: GraphStage, { graph, options, triggers = [] }: Surroundings): StageShape {
  const { stage, platform, needs } = graphStage;
  const idOf = (index: number): string => stageId(index, graph.platform, options);
  const layers = [...triggers, ...stage.instructions].filter(makesLayer).length;
  const numbers = Array.from({ length: 1 + layers }, (_, i) => i + 1);
  return {
    id: idOf(stage.index),
    name: stage.name ?? `stage-${stage.index}`,
    platform: formatPlatform(platform),
    base: hideLogins(baseOf(graphStage, graph)),
    needs: needs.map(idOf),
    location: stage.from.range,
    // Only an image from outside is a step of its own.
    steps: numbers.slice(graphStage.base.kind === 'image' ? 0 : 1).map((n) => `${idOf(stage.index)}/${n}`),
  };
}

function baseOf({ base }: GraphStage, { stages }: StageGraph): string {
  if (base.kind === 'scratch') return 'scratch';
  if (base.kind === 'image') return base.reference;
  const stage = stages.find((one) => one.stage.index === base.index)?.stage;
  return stage?.name ?? `stage-${base.index}`;
}
