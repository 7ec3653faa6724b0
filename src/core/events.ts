import type { Digest } from './digest.ts';
import type { ErrorCode, SourceRange } from './errors.ts';
import { hideLogins } from './logins.ts';

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

/** A stage of a build, for pictures of it. */
export interface StageShape {
  /** What stands before the last `/` of its steps' ids: `0`, `linux/arm64/0`. */
  readonly id: string;
  readonly name: string;
  readonly platform: string;
  /** What it begins with: an image, the name of a stage, or `scratch`. */
  readonly base: string;
  /** Ids of the stages that it reads. */
  readonly needs: readonly string[];
  readonly location: SourceRange;
  /** Ids of its steps, in order. */
  readonly steps: readonly string[];
}

/** What a build's time goes into. */
export type Activity = 'wait' | 'transfer' | 'unpack' | 'run' | 'commit' | 'compress' | 'push';

/** One ingredient of a step that is not what it was, named as people know it. */
export interface Change {
  /** What kind of thing it is: `file`, `build argument`, `variable`, `base image`. */
  readonly what: string;
  readonly name: string;
  readonly how: 'added' | 'removed' | 'changed';
  /** What of it differs, where that is not all: `content`, `mode`, `owner`, `link`. */
  readonly aspect?: string;
  readonly before?: string;
  readonly after?: string;
}

/** Why a step ran and was not taken from the cache. */
export interface Explanation {
  readonly reason: /** Something that the step can see is not what it was: `changes` says what. */
    | 'changed'
    /** No build that is remembered had this step. */
    | 'new'
    /** It was the same and did not end well, so there was nothing to keep. */
    | 'failed'
    /** It was the same, and its result was taken away since. */
    | 'pruned'
    /** Neither this machine nor what `--cache-from` names knows it. */
    | 'not-shared'
    /** `--no-cache`. */
    | 'asked';
  /** The build with whose step this one was compared, and when it was (ISO). */
  readonly with?: { readonly build: string; readonly at: string };
  /** When the result was taken away (ISO). */
  readonly prunedAt?: string;
  readonly changes: readonly Change[];
  /** How many more changes there were: a long list is cut. */
  readonly more?: number;
  /** Sentences. */
  readonly advice: readonly string[];
}

/** A failure as events tell it. */
export interface ToldFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly location?: SourceRange;
}

/** All that can be seen of a build. Times are milliseconds since the build began. */
export type BuildEvent =
  | {
      readonly type: 'build-start';
      readonly at: number;
      /** By which it is remembered. */
      readonly id: string;
      /** ISO time. */
      readonly started: string;
      readonly file: string;
      /** A folder or an address, without logins. */
      readonly context: string;
      readonly target?: string;
      readonly names: readonly string[];
      readonly steps: number;
    }
  | {
      /** All stages; told again for those that turn out to be more, by the ONBUILD triggers of a base image. */
      readonly type: 'graph';
      readonly at: number;
      readonly stages: readonly StageShape[];
    }
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
      /** The layer that it led to. */
      readonly diffId?: Digest;
      /** Of a FROM: the layers that its stage begins with, the lowest first. */
      readonly base?: readonly Digest[];
      /** What the cache knows it by; `contentKey` where the content of what it reads has a key of its own. */
      readonly key?: Digest;
      readonly contentKey?: Digest;
      /** Where the step's complete log is kept. */
      readonly log?: string;
    }
  | {
      readonly type: 'explanation';
      readonly at: number;
      readonly step: string;
      readonly explanation: Explanation;
    }
  | {
      /** Time that went into something; `at` is its end. */
      readonly type: 'span';
      readonly at: number;
      /** As `at`; before an event has its time, milliseconds since the process began. */
      readonly startedAt: number;
      readonly what: Activity;
      readonly step?: string;
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
      /** The step that it is about. */
      readonly step?: string;
    } & Pick<Warning, 'text'> &
      Partial<Warning>)
  | {
      readonly type: 'build-end';
      readonly at: number;
      readonly outcome: 'done' | 'failed' | 'cancelled';
      readonly image?: Digest;
      readonly error?: ToldFailure;
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

/** An event whose words show no login. What a process writes is its own: it passes as it is. */
export function withoutLogins(body: EventBody): EventBody {
  if (body.type === 'step-start') return { ...body, name: hideLogins(body.name) };
  if (body.type === 'note') return { ...body, text: hideLogins(body.text) };
  return body;
}
