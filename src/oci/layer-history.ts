import type { HistoryEntry } from '../core/types.ts';

/**
 * The history entry of each of `count` layers. Tools that put layers on a base without a history leave the lowest ones
 * without an entry; with more entries than layers nothing can be told.
 */
export function historyOfLayers(
  count: number,
  history: readonly HistoryEntry[],
): readonly (HistoryEntry | undefined)[] {
  const made = history.filter((entry) => entry.empty_layer !== true);
  const missing = count - made.length;
  return Array.from({ length: count }, (_, i) => (missing < 0 ? undefined : made[i - missing]));
}

/**
 * The instruction that an entry of the history tells of, as a Containerfile has it: without what builders put around it
 * (`RUN /bin/sh -c make # buildkit`, `/bin/sh -c #(nop)  CMD ["sh"]`).
 */
export function instructionOf({ created_by: text = '' }: HistoryEntry): string {
  const bare = text.replace(/\s*# buildkit$/, '').trim();
  const marked = /^\/bin\/sh -c #\(nop\)\s+(.*)$/s.exec(bare)?.[1];
  if (marked !== undefined) return marked;
  return bare.replace(/^(?:RUN )?(?:\|\d+ (?:\S+=.*? )?)?\/bin\/sh -c /s, 'RUN ');
}
