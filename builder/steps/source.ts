import type { Snapshot } from '../../src/core/types.ts';
import { LostLayer, missingOf } from '../remember.ts';
import type { StageScope } from '../state.ts';
import type { Tools } from '../tools.ts';
import type { CopySource } from './copy.ts';
import { emptySnapshot } from './from.ts';
import { namedImage } from './named-image.ts';

/**
 * What a `--from` names: a named context, a stage, an image, or without it the context. With `wanted`, the bytes of a
 * stage's layers can be had; without, the stage may be known from records alone.
 */
export async function sourceOf(
  from: string | undefined,
  scope: StageScope,
  wanted: boolean,
): Promise<CopySource> {
  if (from === undefined) return { kind: 'context', context: scope.tools.context };
  const { platform } = scope.graphStage;
  const named = await scope.tools.contexts.find(from, platform);
  if (named !== undefined) return named;
  if (from === 'scratch') return { kind: 'snapshot', snapshot: emptySnapshot(platform) };
  const index = scope.stages.find(from);
  if (index === undefined) {
    const { snapshot } = await namedImage(from, scope);
    return { kind: 'snapshot', snapshot };
  }
  const { snapshot } = await scope.stages.built(index, wanted);
  return { kind: 'snapshot', snapshot };
}

/** Tries with stages as the records know them, and where bytes turn out to be gone, with stages built again. */
export async function withSources<T>(attempt: (wanted: boolean) => Promise<T>): Promise<T> {
  try {
    return await attempt(false);
  } catch (error) {
    if (!(error instanceof LostLayer) || error.isNews) throw error;
    return await attempt(true);
  }
}

/** Fails with LostLayer where a snapshot that must be read now is known from records alone. */
export function checkReadable(snapshot: Pick<Snapshot, 'layers'>, tools: Tools): void {
  const missing = missingOf(snapshot, tools);
  if (missing.length > 0) throw new LostLayer(missing);
}
