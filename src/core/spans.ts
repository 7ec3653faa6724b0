import type { Activity, Emit } from './events.ts';
import type { Gate } from './gates.ts';

/** Less than this, in milliseconds, explains no build: it is not told. */
const SHORTEST = 1;

/** Begins to take the time of something; calling the result ends that, and tells it. */
export function takeTime(emit: Emit, what: Activity): () => void {
  const startedAt = performance.now();
  return () => {
    if (performance.now() - startedAt >= SHORTEST)
      emit({ type: 'span', what, startedAt: Math.round(startedAt) });
  };
}

/** Does the work, and tells how long it took, also where it fails. */
export async function timed<T>(emit: Emit, what: Activity, work: () => Promise<T>): Promise<T> {
  const end = takeTime(emit, what);
  try {
    return await work();
  } finally {
    end();
  }
}

/** The same gate; how long a task waits for its turn is told. */
export function timedGate(gate: Gate, emit: Emit): Gate {
  return (task) => {
    const begin = takeTime(emit, 'wait');
    return gate(() => {
      begin();
      return task();
    });
  };
}
