import { type Digest, digestOf } from '../src/core/digest.ts';
import { BuildError } from '../src/core/errors.ts';
import type { BuildOptions } from '../src/core/options.ts';
import { formatPlatform } from '../src/core/platform.ts';
import type { Store, StoredImage } from '../src/core/store.ts';
import type { Image, Platform, Snapshot } from '../src/core/types.ts';
import { parseConfig } from '../src/oci/config.ts';
import { formatReference, parseReference, type Reference } from '../src/oci/reference.ts';

/** What is known of images that are not at hand. */
export interface ImageSource {
  /** The full name that a written one stands for. */
  meaning(name: string): Promise<Reference>;
  /** Asks a registry what a reference means for a platform. Layers are named, not fetched. */
  resolve(reference: Reference, platform: Platform): Promise<Image>;
}

/** An image to build on. */
export interface BaseImage {
  readonly snapshot: Snapshot;
  /** The full name by which it was found, where it has one. */
  readonly name?: string;
  /** It was in the local store: no registry was asked. */
  readonly local: boolean;
  /** Of its manifest in a registry; undefined for one that was never there. */
  readonly digest: Digest | undefined;
  /** Of its configuration. */
  readonly id: Digest;
}

/** Finds the image that a reference means for a platform. */
export type FindImage = (reference: string, platform: Platform) => Promise<BaseImage>;

/**
 * Images to build on: from the local store first (`--pull=missing`), so that a build whose inputs are at hand needs
 * no network. Each is asked for once in a build.
 */
export function baseImages(store: Store, pull: BuildOptions['pull'], source: ImageSource): FindImage {
  const asked = new Map<string, Promise<BaseImage>>();
  return (text, platform) => {
    const key = JSON.stringify([text, platform]);
    const answer = asked.get(key) ?? obtain(text, platform);
    asked.set(key, answer);
    return answer;
  };

  /** A name counts as it is written where the store has it so, and else as what it stands for. */
  async function obtain(text: string, platform: Platform): Promise<BaseImage> {
    const own = await atHand(formatReference(parseReference(text)), platform);
    if (own !== undefined) return own;
    const reference = await source.meaning(text);
    const name = formatReference(reference);
    const local = await atHand(name, platform);
    if (local !== undefined) return local;
    const others = (await store.images.findAll(name)).map(({ image }) => formatPlatform(image.platform));
    if (pull === 'never') throw missing(name, platform, others);
    const image = await source.resolve(reference, platform).catch((error: unknown) => {
      throw withOthers(error, others);
    });
    await store.images.putBeside(image, [name], { base: true });
    return { ...baseOf(image), name, local: false };
  }

  async function atHand(name: string, platform: Platform): Promise<BaseImage | undefined> {
    if (pull === 'always' || pull === 'newer') return undefined;
    const local = await store.images.find(name, platform);
    if (local === undefined || !isFor(local, platform)) return undefined;
    return { ...baseOf(local.image), name, local: true };
  }
}

/** An image as something to build on. */
function baseOf({ layers, config, manifest }: Image): Pick<BaseImage, 'snapshot' | 'digest' | 'id'> {
  return {
    snapshot: { layers, config: parseConfig(config) },
    digest: manifest === undefined ? undefined : digestOf(manifest.bytes),
    id: digestOf(config),
  };
}

/** Older programs that run there too are taken of an index that has nothing better, not of the store. */
function isFor({ image }: StoredImage, { architecture }: Platform): boolean {
  return image.platform.architecture === architecture;
}

function missing(name: string, platform: Platform, others: readonly string[]): BuildError {
  const what = others.length === 0 ? '' : ` for ${formatPlatform(platform)}, only for ${others.join(', ')}`;
  return new BuildError(
    'not-found',
    `the image ${name} is not in the local store${what}, and no registry may be asked`,
    {
      hint: `Run "tsbuild pull ${name}" first, or leave --pull=never and --offline away.`,
    },
  );
}

/** What the store has for other platforms is told where a registry cannot help. */
function withOthers(error: unknown, others: readonly string[]): unknown {
  if (!(error instanceof BuildError) || others.length === 0) return error;
  const { hint } = error;
  const there = `The store has it for ${others.join(', ')}: FROM --platform=${others[0]} takes that.`;
  return error.with({ hint: hint === undefined ? there : `${hint} ${there}` });
}
