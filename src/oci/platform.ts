import { BuildError } from '../core/errors.ts';
import { formatPlatform, normalizePlatform } from '../core/platform.ts';
import type { Descriptor, Platform } from '../core/types.ts';

/**
 * The image of an index for a platform: the same system and architecture, and the highest variant that does not
 * exceed the one asked for (`arm` alone is v7, `amd64` alone v1). Entries for `unknown/unknown` (attestations) are
 * passed over. Throws `not-found` with a list of what there is.
 */
export function choosePlatform(manifests: readonly Descriptor[], platform: Platform): Descriptor {
  const wanted = normalizePlatform(platform);
  const known = manifests.filter((one) => one.platform !== undefined && one.platform.os !== 'unknown');
  if (known.length === 0 && manifests.length === 1 && manifests[0]!.platform === undefined)
    return manifests[0]!;
  let best: { descriptor: Descriptor; level: number } | undefined;
  for (const descriptor of known) {
    const level = fitness(normalizePlatform(descriptor.platform!), wanted);
    if (level >= 0 && (best === undefined || level > best.level)) best = { descriptor, level };
  }
  if (best !== undefined) return best.descriptor;
  throw noneFor(platform, known);
}

/** How well a normalised platform fits: higher is nearer, below 0 does not run there. */
function fitness(offered: Platform, wanted: Platform): number {
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return -1;
  if (offered.variant === wanted.variant) return 1000;
  const [has, may] = [levelOf(offered), levelOf(wanted)];
  return has !== undefined && may !== undefined && has <= may ? has : -1;
}

function levelOf({ architecture, variant }: Platform): number | undefined {
  if (variant === undefined) return architecture === 'arm64' ? 8 : 1;
  const match = /^v(\d{1,2})(?:\.\d)?$/.exec(variant);
  return match === null ? undefined : Number(match[1]);
}

function noneFor(platform: Platform, known: readonly Descriptor[]): BuildError {
  const names = [...new Set(known.map((one) => formatPlatform(one.platform!)))];
  return new BuildError('not-found', `the image is not there for ${formatPlatform(platform)}`, {
    hint: names.length === 0 ? 'Its index names no platform at all.' : `It is there for ${names.join(', ')}.`,
  });
}
