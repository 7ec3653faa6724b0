import { BuildError, didYouMean } from '../../src/core/errors.ts';
import type { BaseImage } from '../base-image.ts';
import type { StageScope } from '../state.ts';

/** Images that many files start from: a slip in one of these names is likelier than an image of that name. */
const COMMON = ['alpine', 'busybox', 'centos', 'debian', 'fedora', 'golang', 'node', 'python', 'ubuntu'];

/**
 * The image that FROM or `--from` names. Where it cannot be had, the stage above or the well-known image with nearly
 * the same name is what was meant, perhaps.
 */
export async function namedImage(
  name: string,
  { graph, graphStage, tools }: Pick<StageScope, 'graph' | 'graphStage' | 'tools'>,
): Promise<BaseImage> {
  try {
    return await tools.image(name, graphStage.platform);
  } catch (error) {
    const above = graph.containerfile.stages.slice(0, graphStage.stage.index);
    throw error instanceof BuildError ? suggesting(error, name, above) : error;
  }
}

function suggesting(
  error: BuildError,
  name: string,
  above: readonly { readonly name?: string }[],
): BuildError {
  const stages = above.flatMap(({ name }) => name ?? []);
  const [bare] = name.split(/[:@]/, 1);
  const near = didYouMean(name, stages) ?? (COMMON.includes(bare!) ? undefined : didYouMean(bare!, COMMON));
  if (near === undefined) return error;
  const hint = `Did you mean ${near}?`;
  return error.with({ about: name, hint: error.hint === undefined ? hint : `${hint} ${error.hint}` });
}
