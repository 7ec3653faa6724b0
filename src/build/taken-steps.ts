import type { BuiltGraph } from '../../builder/schedule.ts';
import type { BuiltStage } from '../../builder/state.ts';
import type { SharedStep } from '../../cache/remote/document.ts';
import type { Image } from '../core/types.ts';

/** An image and the graph that it was built from. */
export interface BuiltImage {
  readonly image: Image;
  readonly graph: BuiltGraph;
}

/** Every step of every stage, those that made the image's own layers last. */
export function stepsOf(built: BuiltImage, epoch: number | undefined): SharedStep[] {
  return [...built.graph.stages.flatMap(takenIn), ...targetSteps(built, epoch)];
}

function takenIn({ state }: BuiltStage): readonly SharedStep[] {
  return state.candidates[0]!.taken;
}

/** The steps that made the image's own layers; where their times were clamped, both layers belong together. */
export function targetSteps({ image, graph }: BuiltImage, epoch: number | undefined): readonly SharedStep[] {
  const taken = takenIn(graph.target);
  if (epoch === undefined) return taken;
  const own = image.layers.slice(image.layers.length - taken.length);
  return taken.map(({ key, result }, i) => ({
    key,
    result: { ...result, clamped: { epoch, layer: own[i]! } },
  }));
}
