import { assemble } from '../builder/assemble.ts';
import { schedule } from '../builder/schedule.ts';
import { analyseInput } from './build/analysis.ts';
import { Checking } from './build/checking.ts';
import { deliver } from './build/deliver.ts';
import { readInput } from './build/input.ts';
import { openTools } from './build/open-tools.ts';
import { pointing } from './build/pointing.ts';
import { type BuildResult, writeFailure, writeResult } from './build/result.ts';
import { tellBuild } from './build/tell.ts';
import { tidy } from './build/tidy.ts';
import { openParts } from './commands/wiring.ts';
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
  const checking = new Checking(analyseInput(input, options), input, options);
  const graph = checking.graph();
  return await tellBuild({ graph, checking }, options, async (told) => {
    const tools = checking.learning(openTools(told, { context: input.context, parts, place }));
    await checking.demand(tools);
    const built = await pointing(graph.containerfile, () => schedule(graph, tools));
    const image = await assemble(built, tools);
    await input.context.save();
    await parts.store.images.put(image, options.tags);
    const delivered = await deliver(image, { options: told, parts, place });
    await tidy(parts.store, options.keepBytes);
    return await writeResult(image, delivered, options);
  });
}
