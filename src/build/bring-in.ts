import type { Tools } from '../../builder/tools.ts';
import { isLasting, isPlace } from '../../cache/remote/place.ts';
import type { Image } from '../core/types.ts';

/**
 * Fetches the layers of images that only a source of this build has, and that no later command could fetch: its keys
 * and addresses end with the build. What was pushed meanwhile is in a registry, and stays there.
 */
export async function bringIn(images: readonly Image[], { signal, store: { layers } }: Tools): Promise<void> {
  for (const layer of new Set(images.flatMap((image) => image.layers))) {
    if (layers.isAtHand(layer) || layer.descriptor === undefined) continue;
    const origins = [...(layer.origins ?? []), ...layers.origins(layer.descriptor.digest)];
    const isOnlyThere = origins.every(({ host }) => isPlace(host) && !isLasting(host));
    if (origins.length > 0 && isOnlyThere) await layers.atHand(layer, signal);
  }
}
