import type { StageScope } from './state.ts';
import type { CopySource } from './steps/copy.ts';

/** What a `--from` names: a stage, an image, or without it the context. */
export async function sourceOf(from: string | undefined, scope: StageScope): Promise<CopySource> {
  if (from === undefined) return { kind: 'context', context: scope.tools.context };
  const index = scope.stages.find(from);
  if (index === undefined) {
    return { kind: 'snapshot', snapshot: await scope.tools.image(from, scope.graphStage.platform) };
  }
  const { snapshot } = await scope.stages.built(index, scope.obtainable);
  return { kind: 'snapshot', snapshot };
}
