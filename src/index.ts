import { type BuildRequest, buildArguments } from './api/build-request.ts';
import { type CallOptions, type Common, commonArguments } from './api/call-options.ts';
import { type Running, running } from './api/running.ts';
import { one } from './api/words.ts';
import type { Digest } from './core/digest.ts';
import { BuildError } from './core/errors.ts';
import type { Explanation } from './core/events.ts';

export type { BuildRequest, Secret } from './api/build-request.ts';
export type { CallOptions, Common } from './api/call-options.ts';
export type { Running } from './api/running.ts';
export type { Digest } from './core/digest.ts';
export { BuildError, type ErrorCode, type SourceRange } from './core/errors.ts';
export type {
  Activity,
  BuildEvent,
  Change,
  Explanation,
  StageShape,
  ToldFailure,
  Warning,
} from './core/events.ts';

/** What a build has come to. */
export interface Built {
  /** The image id: digest of its configuration; of the index, where several platforms were built. */
  readonly id: Digest;
  /** Digest of the manifest or index, where one was written or pushed. */
  readonly digest?: Digest;
  /** Full names that it was given. */
  readonly names: readonly string[];
  /** The id under which the build is remembered: for `tsbuild logs` and its kin. */
  readonly build: string;
  /** What `--metadata-file` would hold. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What to push. */
export interface PushRequest extends Common {
  /** An image of the store, by name or id. */
  readonly name: string;
  /** Where it goes; default its own name. */
  readonly destination?: string;
  /** The key that signs it: a PEM file, or `env://NAME`. */
  readonly sign?: string;
}

/** Which steps to tell of. */
export interface ExplainRequest extends CallOptions {
  /** The id of a build (`Built.build`), or the start or end of one; default the last build of the store. */
  readonly build?: string;
  /** Of this step alone: its id (`0/2`), its place (`builder 2/4`), or the name of a stage. */
  readonly step?: string;
}

/** A step that the cache can know. */
export interface ExplainedStep {
  /** As events name it. */
  readonly step: string;
  /** As people read it: `[builder 2/4] RUN make`. */
  readonly name: string;
  /** `interrupted`: the build was killed before it ended. */
  readonly outcome: 'done' | 'cached' | 'failed' | 'cancelled' | 'interrupted';
  /** Why it ran; absent where it did not. */
  readonly explanation?: Explanation;
}

/** What a push has come to. */
export interface Pushed {
  /** Digest of the manifest, or of the index of several. */
  readonly digest: Digest;
}

/**
 * Builds an image in a child process of its own. Rejects with BuildError as the command line would tell it: `code`,
 * `hint`, `location`, `errors` where a file has several and, for a failing RUN, `exitCode` and `log`.
 */
export function build(request: BuildRequest): Running<Built> {
  const args = ['build', ...buildArguments(request), '--', request.context];
  return running({ ...request, args, refused: refusalOf(request) }, ({ result, build }) => {
    const { id, digest, names, metadata } = result as unknown as Built;
    return { id, names, metadata, build: build ?? '', ...(digest !== undefined && { digest }) };
  });
}

/** Sends an image of the store to a registry. */
export function push(request: PushRequest): Running<Pushed> {
  const names = [request.name, ...(request.destination === undefined ? [] : [request.destination])];
  const args = ['push', ...commonArguments(request), ...one('--sign', request.sign), '--', ...names];
  return running({ ...request, args }, ({ stdout }) => ({ digest: stdout.trim() as Digest }));
}

/** Tells why the steps of a build ran, in the order in which they began. Rejects with `not-found` where nothing is known of it. */
export async function explain(request: ExplainRequest = {}): Promise<readonly ExplainedStep[]> {
  const { build, step, root } = request;
  const words = [build, step].filter((word) => word !== undefined);
  const args = ['explain', '--events-fd', '3', '--format=json', ...one('--root', root), '--', ...words];
  const steps = await running({ ...request, args }, ({ stdout }) => JSON.parse(stdout) as ExplainedStep[]);
  return steps;
}

function refusalOf({ context, outputs }: BuildRequest): BuildError | undefined {
  if (context !== '-' && !outputs?.includes('-')) return undefined;
  return new BuildError('usage', 'build() reads no stdin and writes no stdout', {
    hint: 'Name a folder or a file.',
  });
}
