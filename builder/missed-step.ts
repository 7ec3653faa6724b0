import type { Digest } from '../src/core/digest.ts';

/** A step whose result is not in the cache, as it is explained. Its ingredients are kept under its key already. */
export interface MissedStep {
  /** As people see it: `[builder 2/4] RUN make`. */
  readonly name: string;
  readonly stage: {
    /** `stage-0` where it has none. */
    readonly name: string;
    readonly platform: string;
    /** The texts of its steps but FROM, as people see them. */
    readonly texts: readonly string[];
  };
  /** Its place among those texts. */
  readonly at: number;
  readonly key: Digest;
  readonly contentKey?: Digest;
  /** It was not even looked up: `--no-cache`. */
  readonly asked: boolean;
}
