import { Confines } from '../builder/sandbox/confines.ts';
import { scheduleAll } from '../builder/schedule.ts';
import { afterwards } from './build/afterwards.ts';
import { analyseInput } from './build/analysis.ts';
import { assembleAll, imagesOf } from './build/assemble-all.ts';
import { attesting } from './build/attesting.ts';
import { Checking } from './build/checking.ts';
import { deliver, type Made } from './build/deliver.ts';
import { readInput } from './build/input.ts';
import { Materials } from './build/materials.ts';
import { openDebugger } from './build/open-debugger.ts';
import { remotesOf } from './build/open-remotes.ts';
import { openTools } from './build/open-tools.ts';
import type { Others } from './build/others.ts';
import { openPins } from './build/pins.ts';
import { pointing } from './build/pointing.ts';
import { type BuildResult, writeFailure, writeResult } from './build/result.ts';
import { tellBuild } from './build/tell.ts';
import { tidying } from './build/tidy.ts';
import { type CountedOptions, countTransfers } from './build/transfers.ts';
import { openParts, type Parts } from './commands/wiring.ts';
import { hideLogins } from './core/logins.ts';
import type { BuildOptions, RegistryOptions } from './core/options.ts';
import type { Place } from './core/place.ts';
import { makesIndex } from './core/target-platforms.ts';
import type { Signer } from './oci/signature.ts';

export type { BuildResult };

/**
 * text → StageGraph → Snapshot → Image → somewhere. Fails with BuildError, or with the signal's reason; what is in the
 * store stays whole either way.
 */
export async function build(
  options: BuildOptions,
  registry: RegistryOptions,
  place: Place,
  storeRoot: string,
): Promise<BuildResult> {
  const noting = notingTexts(options);
  try {
    const counted = countTransfers(noting);
    await using parts = await openParts(storeRoot, registry, place, { emit: counted.emit, downloads: true });
    return await buildImage({ ...noting, ...counted }, { parts, registry, place });
  } catch (error) {
    await writeFailure(error, options);
    throw error;
  }
}

/** One build of several that share a store and work at the same time; otherwise as `build`. */
export async function buildAmong(
  options: BuildOptions,
  around: Around & { readonly others: Others },
): Promise<BuildResult> {
  const noting = notingTexts(options);
  return await buildImage({ ...noting, ...countTransfers(noting) }, around);
}

interface Around {
  readonly parts: Parts;
  readonly registry: RegistryOptions;
  readonly place: Place;
  readonly others?: Others;
}

async function buildImage(
  { texts, ...options }: CountedOptions & NotingOptions,
  { parts, registry, place, others }: Around,
): Promise<BuildResult> {
  const [startedMs, materials] = [Date.now(), new Materials()];
  await using remotes = remotesOf(options, registry, { place, store: parts.store });
  const reading = { store: parts.store, remotes: materials.remotes(remotes), contexts: others?.contexts };
  await using input = await readInput(options, reading);
  const pins = openPins(options, input.path);
  const signer = await signerFor(options);
  const checking = new Checking(analyseInput(input, options), input, options);
  const { containerfile, graphs } = checking.sound();
  await others?.ready();
  const { builds } = parts.store;
  const debug = await openDebugger(options, graphs);
  return await tellBuild({ containerfile, graphs, checking, texts, builds }, options, async (telling) => {
    const { options: told, folder: logs } = telling;
    others?.remembered(logs);
    const bound = { options: told, folders: [logs] };
    using _bound = others === undefined ? tidying(parts.store, bound) : undefined;
    await using confines = new Confines(told, (text) => told.emit({ type: 'note', level: 'warning', text }));
    const pinned = materials.remotes(pins?.remotes(remotes) ?? remotes);
    const around = { input, remotes: pinned, parts, place, confines, pins, materials, logs, others };
    const tools = checking.learning({ ...openTools(told, around), ...(debug && { debug }) });
    await checking.demand(tools);
    const built = await pointing(containerfile, () => scheduleAll(graphs, tools));
    const assembled = await assembleAll(built, tools);
    const made: Made = {
      images: await imagesOf(assembled, tools),
      isIndex: makesIndex(options),
      attest: attesting(told, { input, materials, startedMs, layers: parts.store.layers }),
      signer,
    };
    others?.made(made.images);
    await input.context.save();
    await tools.contexts.save();
    await pins?.save();
    await parts.store.images.putAll(made.images, options.tags);
    const delivered = await deliver(made, { options: told, parts, place });
    await afterwards({ assembled, images: made.images }, tools, parts);
    return await writeResult(made, delivered, { options: told, parts });
  });
}

interface NotingOptions extends BuildOptions {
  /** What was read, by the names that locations have. */
  readonly texts: ReadonlyMap<string, string>;
}

function notingTexts(options: BuildOptions): NotingOptions {
  const texts = new Map<string, string>();
  const onSource = (file: string, text: string): void => {
    texts.set(file, hideLogins(text));
    options.onSource?.(file, text);
  };
  return { ...options, onSource, texts };
}

/** The key is read before anything is built; what reads keys is loaded only for one. */
async function signerFor({ sign }: BuildOptions): Promise<Signer | undefined> {
  return sign === undefined
    ? undefined
    : (await import('./build/open-signer.ts')).openSigner(sign, process.env);
}
