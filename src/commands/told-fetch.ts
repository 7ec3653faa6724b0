import type { Emit } from '../core/events.ts';
import { takeTime } from '../core/spans.ts';
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
      way: 'in',
    } as const;
    emit({ ...transfer, done: 0, state: 'running' });
    const end = takeTime(emit, 'transfer');
    const chunks = await fetch(origins, descriptor, signal).catch((error: unknown) => {
      end();
      emit({ ...transfer, done: 0, state: 'failed' });
      throw error;
    });
    return passing(chunks, (done, ended) => {
      if (ended) end();
      emit({ ...transfer, done, state: ended ? 'done' : 'running' });
    });
  };
}

async function* passing(
  chunks: AsyncIterable<Buffer>,
  tell: (done: number, ended: boolean) => void,
): AsyncGenerator<Buffer> {
  let done = 0;
  let told = 0;
  for await (const chunk of chunks) {
    yield chunk;
    done += chunk.length;
    if (done - told < STEP) continue;
    told = done;
    tell(done, false);
  }
  tell(done, true);
}
