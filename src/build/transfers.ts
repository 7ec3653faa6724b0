import type { EventBody } from '../core/events.ts';
import type { BuildOptions } from '../core/options.ts';

/** Options whose `emit` counts along what comes and goes over the network. */
export interface CountedOptions extends BuildOptions {
  /** Bytes so far. */
  readonly moved: () => { readonly received: number; readonly sent: number };
}

/** The same options, counting. A transfer counts when it has ended well. */
export function countTransfers(options: BuildOptions): CountedOptions {
  const moved = { received: 0, sent: 0 };
  const emit = (event: EventBody): void => {
    if (event.type === 'transfer' && event.state === 'done') {
      if (event.way === 'in') moved.received += event.done;
      if (event.way === 'out') moved.sent += event.done;
    }
    options.emit(event);
  };
  return { ...options, emit, moved: () => moved };
}
