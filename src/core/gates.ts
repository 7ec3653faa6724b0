import pLimit from 'p-limit';

/** Lets at most `width` tasks run at once; the others wait in the order they came. */
export type Gate = <T>(task: () => Promise<T>) => Promise<T>;

export function gate(width: number): Gate {
  const limit = pLimit(Math.max(1, width));
  return (task) => limit(task);
}
