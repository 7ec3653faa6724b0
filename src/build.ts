import { assemble } from '../builder/assemble.ts';
import { schedule } from '../builder/schedule.ts';
import { deliver } from './build/deliver.ts';
import { graphOptions } from './build/graph-options.ts';
import { readInput } from './build/input.ts';
import { remotesOf } from './build/open-remotes.ts';
import { openTools } from './build/open-tools.ts';
import { pointing } from './build/pointing.ts';
import { type BuildResult, writeFailure, writeResult } from './build/result.ts';
import { tellBuild } from './build/tell.ts';
import { tidy } from './build/tidy.ts';
import { openParts } from './commands/wiring.ts';
import { graphOf } from './containerfile/graph.ts';
import { parse } from './containerfile/parse.ts';
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
  await using remotes = remotesOf(options, registry, { place, store: parts.store });
  await using input = await readInput(options, parts.store, remotes);
  options.onSource?.(input.file, input.text);
  const containerfile = parse(input.text, input.file);
  const graph = graphOf(containerfile, graphOptions(options));
  return await tellBuild({ containerfile, graph }, options, async (told) => {
    const tools = openTools(told, { context: input.context, remotes, parts, place });
    const built = await pointing(containerfile, () => schedule(graph, tools));
    const image = await assemble(built, tools);
    await input.context.save();
    await tools.contexts.save();
    await parts.store.images.put(image, options.tags);
    const delivered = await deliver(image, { options: told, parts, place });
    await tidy(parts.store, options.keepBytes);
    return await writeResult(image, delivered, options);
  });
}
