import { assemble } from '../../builder/assemble.ts';
import type { BuiltGraph } from '../../builder/schedule.ts';
import type { Tools } from '../../builder/tools.ts';
import { timed } from '../core/spans.ts';
import type { Image } from '../core/types.ts';
import type { BuiltImage } from './taken-steps.ts';

/** The images of the graphs that were built, one per platform. */
export async function assembleAll(built: readonly BuiltGraph[], tools: Tools): Promise<BuiltImage[]> {
  const { platforms } = tools.options;
  const images = built.map(({ target }, i) => assemble(target, tools, platforms[i]));
  return (await timed(tools.emit, 'commit', () => Promise.all(images))).map((image, i) => ({
    image,
    graph: built[i]!,
  }));
}

/** The images as they go to the store and to the outputs of a build. */
export async function imagesOf(
  assembled: readonly BuiltImage[],
  tools: Tools,
): Promise<readonly [Image, ...Image[]]> {
  const { options, store } = tools;
  const [first, ...others] = assembled.map(({ image }) => image);
  if (options.squash !== undefined) {
    const { squashed } = await import('./squash.ts');
    const around = { layers: store.layers, options };
    const [one, ...more] = await Promise.all(assembled.map((built) => squashed(built, around)));
    return [one!, ...more];
  }
  if (!options.cacheTo.some(({ site }) => site.type === 'inline')) return [first!, ...others];
  const { withInlineCache } = await import('./inline-cache.ts');
  const [one, ...more] = assembled.map((built) => withInlineCache(built, tools));
  return [one!, ...more];
}
