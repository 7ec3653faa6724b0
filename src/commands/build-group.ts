import { writeFile } from 'node:fs/promises';
import { whileWanted } from '../../builder/context/remotes.ts';
import { groupStory } from '../build/group-story.ts';
import type { Others } from '../build/others.ts';
import { tidying } from '../build/tidy.ts';
import { type BuildResult, buildAmong } from '../build.ts';
import { BuildError } from '../core/errors.ts';
import type { Emit } from '../core/events.ts';
import { gate } from '../core/gates.ts';
import type { BuildOptions, RegistryOptions } from '../core/options.ts';
import type { Place } from '../core/place.ts';
import { formatPlatform } from '../core/platform.ts';
import type { Image, Platform, Snapshot } from '../core/types.ts';
import { parseConfig } from '../oci/config.ts';
import { openParts } from './wiring.ts';

/** One of several builds; contexts of the form `target:NAME` are what another one makes. */
export interface Member {
  readonly name: string;
  readonly options: Omit<BuildOptions, 'emit' | 'signal'>;
}

export interface GroupOptions {
  readonly registry: RegistryOptions;
  readonly place: Place;
  readonly root: string;
  readonly cwd: string;
  readonly jobs: number;
  readonly metadataFile?: string;
  readonly keepBytes?: number;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/**
 * Builds all of them at the same time: what is equal in two of them is made once, and the first failure stops the others. Gives
 * the results by name. Fails with BuildError, or with the signal's reason.
 */
export async function buildGroup(
  members: readonly Member[],
  options: GroupOptions,
): Promise<ReadonlyMap<string, BuildResult>> {
  const story = groupStory(
    members.map(({ name }) => name),
    { context: options.cwd, emit: options.emit },
  );
  try {
    const results = await buildAll(members, options, story.emitFor);
    story.end('done');
    await writeMetadata(options.metadataFile, metadataOf(results));
    return results;
  } catch (error) {
    const { signal } = options;
    story.end(signal.aborted ? 'cancelled' : 'failed');
    if (error instanceof BuildError)
      await writeMetadata(options.metadataFile, failureOf(error)).catch(() => {});
    throw error;
  }
}

async function buildAll(
  members: readonly Member[],
  { registry, place, root, jobs, signal, keepBytes }: GroupOptions,
  emitFor: (name: string) => Emit,
): Promise<Map<string, BuildResult>> {
  await using parts = await openParts(root, registry, place, { emit: emitFor(''), downloads: true });
  const stop = new AbortController();
  const shared = sharing(members, jobs);
  const options = { emit: emitFor(''), signal, ...(keepBytes !== undefined && { keepBytes }) };
  using _bound = tidying(parts.store, { options, folders: shared.folders });
  const either = AbortSignal.any([signal, stop.signal]);
  const building = members.map(async ({ name, options }) => {
    const others = shared.othersFor(name, either);
    const told = { ...options, emit: emitFor(name), signal: either };
    try {
      return [name, await buildAmong(told, { parts, registry, place, others })] as const;
    } catch (error) {
      stop.abort(members.length > 1 ? naming(name, error) : error);
      return undefined;
    }
  });
  const built = await Promise.all(building);
  signal.throwIfAborted();
  stop.signal.throwIfAborted();
  return new Map(built.filter((one) => one !== undefined));
}

/** A failure without a place says which target it is about. */
function naming(name: string, error: unknown): unknown {
  if (!(error instanceof BuildError) || error.location !== undefined || error.errors !== undefined)
    return error;
  const { code, message, cause, ...details } = error;
  const given = Object.entries({ ...details, cause }).filter(([, value]) => value !== undefined);
  return new BuildError(code, `target ${name}: ${message}`, Object.fromEntries(given));
}

interface Sharing {
  /** Where the builds are remembered, as they begin. */
  readonly folders: readonly string[];
  readonly othersFor: (name: string, signal: AbortSignal) => Others;
}

function sharing(members: readonly Member[], jobs: number): Sharing {
  const tools = { gate: gate(jobs), made: new Map() };
  const contexts: Others['contexts'] = new Map();
  const images = new Map(members.map(({ name }) => [name, promised<readonly Image[]>()]));
  const allReady = promised<void>();
  const folders: string[] = [];
  let awaited = members.length;
  return {
    folders,
    othersFor: (name, signal) => ({
      ready: async () => {
        awaited -= 1;
        if (awaited === 0) allReady.resolve();
        await whileWanted(allReady.promise, signal);
      },
      snapshot: async (other, platform) => {
        const made = await whileWanted(images.get(other)!.promise, signal);
        return snapshotOf(other, made, platform);
      },
      made: (own) => images.get(name)!.resolve(own),
      remembered: (folder) => void folders.push(folder),
      contexts,
      tools,
    }),
  };
}

interface Promised<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

function promised<T>(): Promised<T> {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** A target that is built for one platform serves all; of several the one that is wanted counts. */
function snapshotOf(name: string, images: readonly Image[], platform: Platform): Snapshot {
  const wanted = formatPlatform(platform);
  const image =
    images.length === 1 ? images[0] : images.find((one) => formatPlatform(one.platform) === wanted);
  if (image !== undefined) return { layers: image.layers, config: parseConfig(image.config) };
  throw new BuildError('not-found', `the target ${name} is not built for ${wanted}`, {
    hint: `Add ${wanted} to its platforms.`,
  });
}

function metadataOf(results: ReadonlyMap<string, BuildResult>): object {
  return Object.fromEntries([...results].map(([name, { metadata }]) => [name, metadata]));
}

function failureOf({ code, message, exitCode }: BuildError): object {
  return { error: { code, message, exitCode } };
}

async function writeMetadata(path: string | undefined, content: object): Promise<void> {
  if (path === undefined) return;
  try {
    await writeFile(path, `${JSON.stringify(content, null, 2)}\n`);
  } catch (error) {
    throw new BuildError('output', `the file of --metadata-file cannot be written: ${path}`, {
      cause: error,
    });
  }
}
