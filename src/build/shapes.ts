import { stageId } from '../../builder/state.ts';
import type { GraphStage, StageGraph } from '../containerfile/types.ts';
import type { StageShape } from '../core/events.ts';
import { hideLogins } from '../core/logins.ts';
import type { BuildOptions } from '../core/options.ts';
import { formatPlatform } from '../core/platform.ts';

/** The stages of all platforms as a picture of the build shows them. */
export function shapesOf(graphs: readonly StageGraph[], options: BuildOptions): StageShape[] {
  return graphs.flatMap((graph) => graph.stages.map((stage) => shapeOf(stage, graph, options)));
}

function shapeOf(graphStage: GraphStage, graph: StageGraph, options: BuildOptions): StageShape {
  const { stage, platform, needs } = graphStage;
  return {
    id: stageId(stage.index, graph.platform, options),
    name: stage.name ?? `stage-${stage.index}`,
    platform: formatPlatform(platform),
    base: hideLogins(baseOf(graphStage, graph)),
    needs: needs.map((index) => stageId(index, graph.platform, options)),
    location: stage.from.range,
  };
}

function baseOf({ base }: GraphStage, { stages }: StageGraph): string {
  if (base.kind === 'scratch') return 'scratch';
  if (base.kind === 'image') return base.reference;
  const stage = stages.find((one) => one.stage.index === base.index)?.stage;
  return stage?.name ?? `stage-${base.index}`;
}
