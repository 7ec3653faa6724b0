import pLimit from 'p-limit';

/** Lets at most `width` tasks run at once; the others wait in the order they came. */
export type Gate = <T>(task: () => Promise<T>) => Promise<T>;

export function gate(width: number): Gate {
  const limit = pLimit(Math.max(1, width));
  return (task) => limit(task);
}

/**
 * Does the same with each, at most `width` at once. The first failure ends the others by their signal, and is thrown when
 * they have ended.
 */
export async function allOrNone<A, B>(
  items: readonly A[],
  { width, signal }: { readonly width: number; readonly signal?: AbortSignal | undefined },
  work: (item: A, signal: AbortSignal) => Promise<B>,
): Promise<B[]> {
  const failed = new AbortController();
  const inner = AbortSignal.any([failed.signal, ...(signal === undefined ? [] : [signal])]);
  const turn = gate(width);
  const tasks = items.map((item) => turn(() => work(item, inner)));
  try {
    return await Promise.all(tasks);
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(tasks);
    throw error;
  }
}
