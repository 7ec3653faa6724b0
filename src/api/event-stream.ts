import type { BuildEvent } from '../core/events.ts';

/** What happens in one build, for any number of readers; each gets what is told from its first step on. */
export interface EventStream extends AsyncIterable<BuildEvent> {
  tell(event: BuildEvent): void;
  /** Nothing more comes: readers end, or fail with this error. */
  end(error?: unknown): void;
  /** Resolves when no reader is more than `farBehind` events behind, or after `letGo`. */
  room(): Promise<void>;
  /** From now on nobody waits for readers. */
  letGo(): void;
}

/** How many events a reader may be behind before the build waits for it. */
export const farBehind = 1000;

interface Reader {
  readonly queue: BuildEvent[];
  wake: () => void;
}

export function eventStream(): EventStream {
  const readers = new Set<Reader>();
  let ended: { readonly error?: unknown } | undefined;
  let waiting: (() => void) | undefined;
  let waits = true;
  const isFull = (): boolean => waits && [...readers].some(({ queue }) => queue.length > farBehind);
  const makeRoom = (): void => {
    if (!isFull()) waiting?.();
  };
  const wakeAll = (): void => {
    for (const { wake } of readers) wake();
  };

  async function* read(): AsyncGenerator<BuildEvent, void> {
    const reader: Reader = { queue: [], wake: () => {} };
    readers.add(reader);
    try {
      while (ended === undefined || reader.queue.length > 0) {
        const event = reader.queue.shift();
        makeRoom();
        if (event !== undefined) yield event;
        else await new Promise<void>((resolve) => (reader.wake = resolve));
      }
      if (ended.error !== undefined) throw ended.error;
    } finally {
      readers.delete(reader);
      makeRoom();
    }
  }

  return {
    [Symbol.asyncIterator]: read,
    tell: (event) => {
      for (const { queue } of readers) queue.push(event);
      wakeAll();
    },
    end: (error) => {
      ended = error === undefined ? {} : { error };
      wakeAll();
    },
    room: async () => {
      if (isFull()) await new Promise<void>((resolve) => (waiting = resolve));
    },
    letGo: () => {
      waits = false;
      makeRoom();
    },
  };
}
