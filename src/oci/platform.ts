import { BuildError } from '../core/errors.ts';
import { formatPlatform, normalizePlatform } from '../core/platform.ts';
import type { Descriptor, Platform } from '../core/types.ts';

/**
 * The image of an index for a platform, as `nearest` chooses. Entries for `unknown/unknown` (attestations) are passed
 * over. Throws `not-found` with a list of what there is.
 */
export function choosePlatform(manifests: readonly Descriptor[], platform: Platform): Descriptor {
  const known = manifests.filter(isRunnable);
  if (known.length === 0 && manifests.length === 1 && manifests[0]!.platform === undefined)
    return manifests[0]!;
  const best = nearest(known, ({ platform: offered }) => offered!, platform);
  if (best !== undefined) return best;
  throw noneFor(platform, known);
}

/** Whether an entry of an index is an image for a platform, and not about one (an attestation). */
export function isRunnable({ platform }: Descriptor): boolean {
  return platform !== undefined && platform.os !== 'unknown';
}

/**
 * Of things for different platforms the one for `wanted`: the same system and architecture, and the highest variant
 * that does not exceed the one asked for (`arm` alone is v7, `amd64` alone v1); without such a one, that for the older
 * architecture whose programs run there too (386 on amd64, arm on arm64). Undefined where none runs there.
 */
export function nearest<T>(
  offers: readonly T[],
  platformOf: (offer: T) => Platform,
  wanted: Platform,
): T | undefined {
  const normal = normalizePlatform(wanted);
  let best: { offer: T; level: number } | undefined;
  for (const offer of offers) {
    const level = fitness(normalizePlatform(platformOf(offer)), normal);
    if (level >= 0 && (best === undefined || level > best.level)) best = { offer, level };
  }
  return best?.offer;
}

/** The older architecture that an architecture's processors still run. */
const older: Readonly<Record<string, Platform>> = {
  amd64: { os: 'linux', architecture: '386' },
  arm64: { os: 'linux', architecture: 'arm', variant: 'v8' },
};

/** A higher level than any variant of the same architecture, and of the older one, has. */
const OWN = 100;

/** How well a normalised platform fits: higher is nearer, below 0 does not run there. */
function fitness(offered: Platform, wanted: Platform): number {
  const instead = older[wanted.architecture];
  if (offered.os !== wanted.os) return -1;
  if (offered.architecture === wanted.architecture) {
    const level = variantFitness(offered, wanted);
    return level < 0 ? level : OWN + level;
  }
  return instead?.architecture === offered.architecture ? variantFitness(offered, instead) : -1;
}

function variantFitness(offered: Platform, wanted: Platform): number {
  if (offered.variant === wanted.variant) return OWN - 1;
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
