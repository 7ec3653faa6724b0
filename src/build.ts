import { assemble } from '../builder/assemble.ts';
import { schedule } from '../builder/schedule.ts';
import { deliver } from './build/deliver.ts';
import { graphOptions } from './build/graph-options.ts';
import { includeFrom } from './build/include.ts';
import { type Input, readInput } from './build/input.ts';
import { openTools } from './build/open-tools.ts';
import { pointing } from './build/pointing.ts';
import { type BuildResult, writeFailure, writeResult } from './build/result.ts';
import { tellBuild } from './build/tell.ts';
import { tidy } from './build/tidy.ts';
import { openParts } from './commands/wiring.ts';
import { analyse } from './containerfile/analyse.ts';
import type { Containerfile, StageGraph } from './containerfile/types.ts';
import { BuildError } from './core/errors.ts';
import type { BuildOptions, RegistryOptions } from './core/options.ts';
import type { Place } from './core/place.ts';

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
  await using input = await readInput(options, parts.store);
  options.onSource?.(input.file, input.text);
  const { containerfile, graph } = read(input, options);
  return await tellBuild({ containerfile, graph }, options, async (told) => {
    const tools = openTools(told, { context: input.context, parts, place });
    const built = await pointing(containerfile, () => schedule(graph, tools));
    const image = await assemble(built, tools);
    await input.context.save();
    await parts.store.images.put(image, options.tags);
    const delivered = await deliver(image, { options: told, parts, place });
    await tidy(parts.store, options.keepBytes);
    return await writeResult(image, delivered, options);
  });
}

/** The graph of the file. Fails with all that is wrong with it at once. */
function read(
  input: Input,
  options: BuildOptions,
): { readonly containerfile: Containerfile; readonly graph: StageGraph } {
  const include = includeFrom(input, options);
  const { containerfile, graph, errors } = analyse(input.text, input.file, {
    ...graphOptions(options),
    enable: options.enable,
    include,
  });
  const [first, ...others] = errors;
  if (first !== undefined) throw BuildError.together([first, ...others]);
  return { containerfile, graph: graph! };
}
