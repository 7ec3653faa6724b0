import type { Tools } from '../../builder/tools.ts';
import type { Parts } from '../commands/wiring.ts';
import type { Image } from '../core/types.ts';
import type { BuiltImage } from './taken-steps.ts';

/** What a build made. */
interface Built {
  readonly assembled: readonly BuiltImage[];
  /** As they went to the store. */
  readonly images: readonly Image[];
}

/** What is left to do for caches once the outputs are there; loaded only where a flag asks for it. */
export async function afterwards({ assembled, images }: Built, tools: Tools, parts: Parts): Promise<void> {
  const { cacheFrom, cacheTo } = tools.options;
  if (cacheTo.length > 0) await (await import('./share-caches.ts')).shareCaches(assembled, tools, parts);
  if (cacheFrom.length > 0) await (await import('./bring-in.ts')).bringIn(images, tools);
}
