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
import { remotesOf } from './build/open-remotes.ts';
import { openTools } from './build/open-tools.ts';
import { openPins } from './build/pins.ts';
import { pointing } from './build/pointing.ts';
import { type BuildResult, writeFailure, writeResult } from './build/result.ts';
import { tellBuild } from './build/tell.ts';
import { tidying } from './build/tidy.ts';
import { type CountedOptions, countTransfers } from './build/transfers.ts';
import { openParts } from './commands/wiring.ts';
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
  const texts = new Map<string, string>();
  const onSource = (file: string, text: string): void => {
    texts.set(file, hideLogins(text));
    options.onSource?.(file, text);
  };
  try {
    const counted = { ...countTransfers(options), onSource, texts };
    return await buildImage(counted, registry, place, storeRoot);
  } catch (error) {
    await writeFailure(error, options);
    throw error;
  }
}

async function buildImage(
  { texts, ...options }: CountedOptions & { readonly texts: ReadonlyMap<string, string> },
  registry: RegistryOptions,
  place: Place,
  storeRoot: string,
): Promise<BuildResult> {
  await using parts = await openParts(storeRoot, registry, place, { emit: options.emit, downloads: true });
  const [startedMs, materials] = [Date.now(), new Materials()];
  await using remotes = remotesOf(options, registry, { place, store: parts.store });
  await using input = await readInput(options, parts.store, materials.remotes(remotes));
  const pins = openPins(options, input.path);
  const signer = await signerFor(options);
  const checking = new Checking(analyseInput(input, options), input, options);
  const { containerfile, graphs } = checking.sound();
  const { builds } = parts.store;
  return await tellBuild({ containerfile, graphs, checking, texts, builds }, options, async (telling) => {
    const { options: told, folder: logs } = telling;
    using _bound = tidying(parts.store, { options: told, folder: logs });
    await using confines = new Confines(told, (text) => told.emit({ type: 'note', level: 'warning', text }));
    const pinned = materials.remotes(pins?.remotes(remotes) ?? remotes);
    const around = { input, remotes: pinned, parts, place, confines, pins, materials, logs };
    const tools = checking.learning(openTools(told, around));
    await checking.demand(tools);
    const built = await pointing(containerfile, () => scheduleAll(graphs, tools));
    const assembled = await assembleAll(built, tools);
    const made: Made = {
      images: await imagesOf(assembled, tools),
      isIndex: makesIndex(options),
      attest: attesting(told, { input, materials, startedMs, layers: parts.store.layers }),
      signer,
    };
    await input.context.save();
    await tools.contexts.save();
    await pins?.save();
    await parts.store.images.putAll(made.images, options.tags);
    const delivered = await deliver(made, { options: told, parts, place });
    await afterwards({ assembled, images: made.images }, tools, parts);
    return await writeResult(made, delivered, { options: told, parts });
  });
}

/** The key is read before anything is built; what reads keys is loaded only for one. */
async function signerFor({ sign }: BuildOptions): Promise<Signer | undefined> {
  return sign === undefined
    ? undefined
    : (await import('./build/open-signer.ts')).openSigner(sign, process.env);
}
