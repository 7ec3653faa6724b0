import type { Digest } from '../../src/core/digest.ts';
import type { SharedResults, StepResult } from '../../src/core/store.ts';
import type { Layer } from '../../src/core/types.ts';
import type { SharedContent } from './document.ts';

/** What several sources know, the first of them first; of results that are the same layer the first one counts. */
export function joinShared(sources: readonly SharedContent[]): SharedResults {
  const byKey = new Map<Digest, Map<Digest, StepResult>>();
  const add = (key: Digest, result: StepResult): void => {
    const known = byKey.get(key) ?? new Map<Digest, StepResult>();
    byKey.set(key, known);
    const { diffId } = result.layer;
    if (!known.has(diffId)) known.set(diffId, result);
  };
  const mounts = new Map<string, Layer>();
  for (const { steps, mounts: held } of sources) {
    for (const { key, result } of steps) {
      add(key, result);
      const { contentKey, ...plain } = result;
      if (contentKey !== undefined) add(contentKey, plain);
    }
    for (const [id, layer] of held) if (!mounts.has(id)) mounts.set(id, layer);
  }
  return { find: (key) => [...(byKey.get(key)?.values() ?? [])], mount: (id) => mounts.get(id) };
}
