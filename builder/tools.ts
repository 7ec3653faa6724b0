import type { Digest } from '../src/core/digest.ts';
import type { Emit, Explanation } from '../src/core/events.ts';
import type { Gate } from '../src/core/gates.ts';
import type { StepFacts } from '../src/core/ingredients.ts';
import type { BuildOptions } from '../src/core/options.ts';
import type { Place } from '../src/core/place.ts';
import type { SharedResults, StepResult, Store } from '../src/core/store.ts';
import type { FindImage } from './base-image.ts';
import type { Context } from './context/context.ts';
import type { NamedContexts } from './context/named.ts';
import type { Remotes } from './context/remotes.ts';
import type { Debugger } from './debug/debugger.ts';
import type { MissedStep } from './missed-step.ts';
import type { Confines } from './sandbox/confines.ts';
import type { Engine } from './sandbox/plan.ts';
import type { RootForms } from './steps/root-form.ts';
import type { SshAgent } from './steps/ssh-agent.ts';

/** What every step of a build may use. Made once, by `build.ts`. */
export interface Tools {
  readonly store: Store;
  readonly options: BuildOptions;
  readonly place: Place;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Lets `--jobs` steps work at once. */
  readonly gate: Gate;
  /** The main context. */
  readonly context: Context;
  /** The ignore file that it is read by. */
  readonly ignore?: StepFacts['ignore'];
  /** What `--build-context` names. */
  readonly contexts: NamedContexts;
  /** Fetches what ADD names by address. */
  readonly remotes: Remotes;
  /** The engine for RUN; fails with `sandbox` where none can be had. Asked only when a step must run. */
  readonly engine: () => Promise<Engine>;
  /** Whether steps work on overlays or on copies. */
  readonly rootForms: RootForms;
  /** What steps may reach and use. */
  readonly confines: Confines;
  /** An image of the local store or a registry (`--pull` decides), ready to build on. */
  readonly image: FindImage;
  /** Bytes of a secret, or undefined where none was given under this id. */
  readonly secret: (id: string) => Promise<Buffer | undefined>;
  /** The ssh agent that was given under this id, or undefined where none was. */
  readonly ssh: (id: string) => Promise<SshAgent | undefined>;
  /** What cache sources know; they are read once, at the first call. */
  readonly shared: () => Promise<SharedResults>;
  /** What this build has made so far, by key: `--no-cache` does not make a step again that two platforms share. */
  readonly made: Map<Digest, StepResult>;
  /** Ids of the cache mounts that the steps of this build name. */
  readonly cacheMounts: Set<string>;
  /** Says why a step was not found in the cache; undefined where that cannot be told. Never fails. */
  readonly explain: (step: MissedStep) => Promise<Explanation | undefined>;
  /** Folder in which this build keeps the logs of its steps, and the step that failed. */
  readonly logs: string;
  /** Who looks around where the build stops; absent where nobody does. */
  readonly debug?: Debugger;
}
