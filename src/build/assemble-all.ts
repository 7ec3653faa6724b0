import { assemble } from '../../builder/assemble.ts';
import type { BuiltGraph } from '../../builder/schedule.ts';
import type { Tools } from '../../builder/tools.ts';
import { makesIndex } from '../core/target-platforms.ts';
import type { Made } from './deliver.ts';
import { type BuiltImage, withInlineCache } from './share-caches.ts';

/** The images of the graphs that were built, one per platform. */
export async function assembleAll(built: readonly BuiltGraph[], tools: Tools): Promise<BuiltImage[]> {
  const { platforms } = tools.options;
  const images = built.map(({ target }, i) => assemble(target, tools, platforms[i]));
  return (await Promise.all(images)).map((image, i) => ({ image, graph: built[i]! }));
}

/** What goes to the store and to the outputs of a build. */
export function madeOf(assembled: readonly BuiltImage[], tools: Tools): Made {
  const [first, ...others] = assembled.map((one) => withInlineCache(one, tools));
  return { images: [first!, ...others], isIndex: makesIndex(tools.options) };
}
