import type { Digest } from './digest.ts';
import type { SourceRange } from './errors.ts';

/** Something in a file that works and is probably not meant so. */
export interface Warning {
  /** The lint rule that found it (containerfile §12, and our own). */
  readonly rule?: string;
  /** Where the rule is explained. */
  readonly url?: string;
  /** What the rule is about, in one sentence. */
  readonly description?: string;
  readonly text: string;
  readonly location: SourceRange;
  readonly hint?: string;
}

/** All that can be seen of a build. Times are milliseconds since the build began. */
export type BuildEvent =
  | { readonly type: 'build-start'; readonly at: number; readonly file: string; readonly steps: number }
  | {
      readonly type: 'step-start';
      readonly at: number;
      /** Unique within the build: `<stage>/<number>`. */
      readonly step: string;
      /** As people read it: `[builder 2/4] RUN make`. */
      readonly name: string;
      readonly location?: SourceRange;
    }
  | {
      readonly type: 'step-log';
      readonly at: number;
      readonly step: string;
      readonly stream: 'stdout' | 'stderr';
      readonly text: string;
    }
  | {
      readonly type: 'step-end';
      readonly at: number;
      readonly step: string;
      readonly outcome: 'done' | 'cached' | 'failed' | 'cancelled';
      /** Why it failed, in one clause. */
      readonly error?: string;
      /** Bytes of the layer's tar, where the step made one. */
      readonly bytes?: number;
      /** Where the step's complete log is kept. */
      readonly log?: string;
    }
  | {
      /** Bytes on their way: a download, an upload, a compression. */
      readonly type: 'transfer';
      readonly at: number;
      readonly id: string;
      readonly name: string;
      readonly done: number;
      readonly total?: number;
      readonly state: 'running' | 'done' | 'exists' | 'mounted' | 'failed';
      /** Which way it goes over the network; absent where it stays here. */
      readonly way?: 'in' | 'out';
    }
  | ({
      readonly type: 'note';
      readonly at: number;
      readonly level: 'info' | 'warning';
    } & Pick<Warning, 'text'> &
      Partial<Warning>)
  | {
      readonly type: 'build-end';
      readonly at: number;
      readonly outcome: 'done' | 'failed' | 'cancelled';
      readonly image?: Digest;
      readonly steps: number;
      readonly cached: number;
      /** Bytes that came and went over the network. */
      readonly received: number;
      readonly sent: number;
    };

/** An event without its time; the build adds it. */
export type EventBody = BuildEvent extends infer E ? (E extends BuildEvent ? Omit<E, 'at'> : never) : never;

/** Takes an event; never throws, never waits. */
export type Emit = (event: EventBody) => void;
