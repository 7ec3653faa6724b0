import { formatPlatform } from '../core/platform.ts';
import type { Layers, StoredImage } from '../core/store.ts';
import type { Layer } from '../core/types.ts';
import { parseConfig } from '../oci/config.ts';
import { findImage, findImages } from './find-image.ts';
import { sizeOf } from './images.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

/** Prints what images are made of, as a JSON list: docker's field names, and the layers one by one. */
export async function inspect(names: readonly string[], here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const found: object[] = [];
  for (const name of names) {
    const image = await findImage(parts.store, name);
    const all = await findImages(parts.store, name);
    found.push({
      ...describe(image, parts.store.layers),
      ...(all.length > 1 && { Platforms: platforms(all) }),
    });
  }
  here.print(`${JSON.stringify(found, null, 2)}\n`);
}

/** What else a name stands for. */
function platforms(all: readonly StoredImage[]): object[] {
  return all.map(({ id, image }) => ({ Platform: formatPlatform(image.platform), Id: id }));
}

function describe(stored: StoredImage, layers: Layers): object {
  const config = parseConfig(stored.image.config);
  return {
    Id: stored.id,
    RepoTags: stored.names.filter((name) => !name.includes('@')),
    RepoDigests: stored.repoDigests,
    Created: config.created,
    Author: config.author,
    Architecture: config.architecture,
    Variant: config.variant,
    Os: config.os,
    Size: sizeOf(stored, layers),
    Config: config.config ?? {},
    RootFS: { Type: 'layers', Layers: stored.image.layers.map((layer) => layer.diffId) },
    Layers: stored.image.layers.map((layer) => describeLayer(layer, layers)),
    Stored: stored.stored,
  };
}

function describeLayer(layer: Layer, layers: Layers): object {
  const descriptor = layer.descriptor ?? layers.descriptor(layer, 'any');
  return {
    DiffId: layer.diffId,
    Digest: descriptor?.digest,
    MediaType: descriptor?.mediaType,
    CompressedSize: descriptor?.size,
    Size: layers.tarSize(layer),
    Own: layer.own,
    AtHand: layers.isAtHand(layer),
  };
}
