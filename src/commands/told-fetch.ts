import type { Emit } from '../core/events.ts';
import type { FetchBlob } from '../core/store.ts';

/** Bytes between two events of one download: enough to see it move, few enough to cost nothing. */
const STEP = 1 << 20;

/** The same downloads, each seen as a transfer while its bytes pass. */
export function toldFetch(fetch: FetchBlob, emit: Emit): FetchBlob {
  return async (origins, descriptor, signal) => {
    const { digest, size: total } = descriptor;
    const transfer = {
      type: 'transfer',
      id: `fetch ${digest}`,
      name: `pulling ${digest.slice(7, 19)}`,
      total,
    } as const;
    const tell: Tell = (done, state) => emit({ ...transfer, done, state });
    tell(0, 'running');
    try {
      return passing(await fetch(origins, descriptor, signal), tell);
    } catch (error) {
      tell(0, 'failed');
      throw error;
    }
  };
}

type Tell = (done: number, state: 'running' | 'done' | 'failed') => void;

async function* passing(chunks: AsyncIterable<Buffer>, tell: Tell): AsyncGenerator<Buffer> {
  let done = 0;
  let told = 0;
  try {
    for await (const chunk of chunks) {
      yield chunk;
      done += chunk.length;
      if (done - told < STEP) continue;
      told = done;
      tell(done, 'running');
    }
  } catch (error) {
    tell(done, 'failed');
    throw error;
  }
  tell(done, 'done');
}
