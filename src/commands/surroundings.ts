import type { Emit } from '../core/events.ts';
import type { RegistryOptions } from '../core/options.ts';
import type { Place } from '../core/place.ts';

/** What a command may know and touch of the process it runs in. */
export interface Surroundings {
  readonly place: Place;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the store. */
  readonly root: string;
  readonly registry: RegistryOptions;
  readonly signal: AbortSignal;
  /** 130 or 143 once a signal asked us to stop. */
  readonly interrupted: () => number | undefined;
  /** Tells how far transfers are. */
  readonly emit: Emit;
  /** The result: to stdout. */
  readonly print: (text: string) => void;
  /** The story: to stderr. */
  readonly say: (text: string) => void;
  /** Bytes of another process to stdout or stderr; false once their reader went away. */
  readonly output: (fd: 1 | 2, chunk: Buffer) => boolean;
}
