import { BuildError } from '../src/core/errors.ts';
import type { BuildOptions } from '../src/core/options.ts';
import type { Store, StoredImage } from '../src/core/store.ts';
import type { Image, Platform, Snapshot } from '../src/core/types.ts';
import { parseConfig } from '../src/oci/config.ts';
import { formatReference, parseReference, type Reference } from '../src/oci/reference.ts';

/** Asks a registry what a reference means for a platform. Layers are named, not fetched. */
export type Resolve = (reference: Reference, platform: Platform) => Promise<Image>;

/** An image to build on. */
export interface BaseImage {
  readonly snapshot: Snapshot;
  /** It was in the local store: no registry was asked. */
  readonly local: boolean;
}

/**
 * Images to build on: from the local store first (`--pull=missing`), so that a build whose inputs are at hand needs
 * no network. Each is asked for once in a build.
 */
export function baseImages(
  store: Store,
  pull: BuildOptions['pull'],
  resolve: Resolve,
): (reference: string, platform: Platform) => Promise<BaseImage> {
  const asked = new Map<string, Promise<BaseImage>>();
  return (text, platform) => {
    const key = JSON.stringify([text, platform]);
    const answer = asked.get(key) ?? obtain(text, platform);
    asked.set(key, answer);
    return answer;
  };

  async function obtain(text: string, platform: Platform): Promise<BaseImage> {
    const reference = parseReference(text);
    const name = formatReference(reference);
    const local = pull === 'always' ? undefined : await store.images.find(name);
    if (local !== undefined && pull !== 'newer' && fits(local, platform)) {
      return { snapshot: snapshotOf(local.image), local: true };
    }
    if (pull === 'never') throw missing(name);
    const image = await resolve(reference, platform);
    await store.images.put(image, [name]);
    return { snapshot: snapshotOf(image), local: false };
  }
}

/** An image as something to build on. */
function snapshotOf(image: Image): Snapshot {
  return { layers: image.layers, config: parseConfig(image.config) };
}

function fits({ image }: StoredImage, { os, architecture, variant }: Platform): boolean {
  const has = image.platform;
  const sameVariant = variant === undefined || has.variant === undefined || has.variant === variant;
  return has.os === os && has.architecture === architecture && sameVariant;
}

function missing(name: string): BuildError {
  return new BuildError(
    'not-found',
    `the image ${name} is not in the local store, and --pull=never forbids asking`,
    {
      hint: `Run "tsbuild pull ${name}" first, or leave --pull=never away.`,
    },
  );
}
