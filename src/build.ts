import { assemble } from '../builder/assemble.ts';
import { scheduleAll } from '../builder/schedule.ts';
import { deliver, type Made } from './build/deliver.ts';
import { graphOptions } from './build/graph-options.ts';
import { includeFrom } from './build/include.ts';
import { type Input, readInput } from './build/input.ts';
import { remotesOf } from './build/open-remotes.ts';
import { openTools } from './build/open-tools.ts';
import { pointing } from './build/pointing.ts';
import { type BuildResult, writeFailure, writeResult } from './build/result.ts';
import { tellBuild } from './build/tell.ts';
import { tidy } from './build/tidy.ts';
import { openParts } from './commands/wiring.ts';
import { type Analysis, analyse } from './containerfile/analyse.ts';
import { BuildError } from './core/errors.ts';
import type { BuildOptions, RegistryOptions } from './core/options.ts';
import type { Place } from './core/place.ts';
import { makesIndex } from './core/target-platforms.ts';

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
  try {
    return await buildImage(options, registry, place, storeRoot);
  } catch (error) {
    await writeFailure(error, options);
    throw error;
  }
}

async function buildImage(
  options: BuildOptions,
  registry: RegistryOptions,
  place: Place,
  storeRoot: string,
): Promise<BuildResult> {
  await using parts = await openParts(storeRoot, registry, place, options.emit);
  await using remotes = remotesOf(options, registry, { place, store: parts.store });
  await using input = await readInput(options, parts.store, remotes);
  options.onSource?.(input.file, input.text);
  const { containerfile, graphs } = read(input, options);
  return await tellBuild({ containerfile, graphs }, options, async (told) => {
    const tools = openTools(told, { context: input.context, remotes, parts, place });
    const built = await pointing(containerfile, () => scheduleAll(graphs, tools));
    const images = built.map((one, i) => assemble(one, tools, options.platforms[i]));
    const [first, ...others] = await Promise.all(images);
    const made: Made = { images: [first!, ...others], isIndex: makesIndex(options) };
    await input.context.save();
    await tools.contexts.save();
    await parts.store.images.putAll(made.images, options.tags);
    const delivered = await deliver(made, { options: told, parts, place });
    const result = await writeResult(made, delivered, { options: told, parts });
    await tidy(parts.store, options.keepBytes);
    return result;
  });
}

/** The file and its graph for each platform. Fails with all that is wrong with it at once. */
function read(input: Input, options: BuildOptions): Pick<Analysis, 'containerfile' | 'graphs'> {
  const include = includeFrom(input, options);
  const { enable } = options;
  const analysis = analyse(input.text, input.file, { ...graphOptions(options), enable, include });
  const [first, ...others] = analysis.errors;
  if (first !== undefined) throw BuildError.together([first, ...others]);
  return analysis;
}
