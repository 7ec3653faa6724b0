import type { BuildEvent } from '../core/events.ts';
import { type Ended, type Start, startChild } from './child.ts';
import { type EventStream, eventStream } from './event-stream.ts';

/**
 * Work that has begun: a promise of its result, and all that happens meanwhile.
 *
 * `for await (const event of build(request))` gives what happens from the moment the loop begins, and ends with the work; it
 * fails with the error that the promise rejects with. Leaving the loop does not stop the work: `signal` does. A
 * reader that falls 1,000 events behind holds the work up, as the reader of a pipe does.
 */
export interface Running<T> extends Promise<T>, AsyncIterable<BuildEvent> {}

/** Starts the command, and makes a result of how it ended. */
export function running<T>(start: Start, resultOf: (ended: Ended) => T): Running<T> {
  const events = eventStream();
  const result = finish(startChild(start, events), events).then(resultOf);
  const read = (): AsyncIterator<BuildEvent> => {
    // Whoever reads is told of the failure there: the promise may go without.
    result.catch(() => {});
    return events[Symbol.asyncIterator]();
  };
  return Object.assign(result, { [Symbol.asyncIterator]: read });
}

async function finish(ending: Promise<Ended>, events: EventStream): Promise<Ended> {
  try {
    const ended = await ending;
    events.end();
    return ended;
  } catch (error) {
    events.end(error);
    throw error;
  }
}
