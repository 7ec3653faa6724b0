import type { Digest } from './digest.ts';
import type { BuildEvent, ToldFailure } from './events.ts';

/** A build as it is remembered. */
export interface KeptBuild {
  readonly id: string;
  /** ISO time. */
  readonly started: string;
  readonly context: string;
  /** The Containerfile, as messages call it. */
  readonly file: string;
  readonly target?: string;
  /** Names given to its image. */
  readonly names: readonly string[];
  /** `interrupted`: it was killed before it could say how it ended. */
  readonly outcome: 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted';
  readonly error?: ToldFailure;
  readonly image?: Digest;
  readonly steps: number;
  readonly cached: number;
  /** Milliseconds that it took; of one that was killed unknown. */
  readonly tookMs?: number;
}

/** A build that is being remembered. */
export interface OpenBuild extends Disposable {
  readonly id: string;
  /** Absolute path of the folder for all that is kept of it. */
  readonly folder: string;
  /** Keeps an event; never throws. Those that carry a step's output are not kept: its log is. */
  event(event: BuildEvent): void;
}

/** Builds of the past, within a bound. */
export interface Builds {
  /** Begins to remember a build. `texts` are those of the files that events name places in, by name, as they come. */
  begin(texts: ReadonlyMap<string, string>): OpenBuild;
  /** Newest first. */
  list(): readonly KeptBuild[];
  /** The same one by one, for whoever needs the first few. */
  newest(): Iterable<KeptBuild>;
  /** By id, by an unambiguous start or end of one; the last build where nothing is said. */
  find(word?: string): KeptBuild | undefined;
  folder(id: string): string;
  /** What happened, in order; none where nothing is known. */
  events(id: string): readonly BuildEvent[];
  /** Texts of the files that its events name places in, by name. */
  sources(id: string): Readonly<Record<string, string>>;
}
