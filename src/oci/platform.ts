import { BuildError } from '../core/errors.ts';
import type { Descriptor, Platform } from '../core/types.ts';

const aliases: Record<string, readonly [string, string?]> = {
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
  i386: ['386'],
};

/** `linux/arm64/v8`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/**
 * The image of an index for a platform: the same system and architecture, and the highest variant that does not
 * exceed the one asked for (`arm` alone is v7, `amd64` alone v1). Entries for `unknown/unknown` (attestations) are
 * passed over. Throws `not-found` with a list of what there is.
 */
export function choosePlatform(manifests: readonly Descriptor[], platform: Platform): Descriptor {
  const wanted = normalPlatform(platform);
  const known = manifests.filter((one) => one.platform !== undefined && one.platform.os !== 'unknown');
  if (known.length === 0 && manifests.length === 1 && manifests[0]!.platform === undefined)
    return manifests[0]!;
  let best: { descriptor: Descriptor; level: number } | undefined;
  for (const descriptor of known) {
    const level = fitness(normalPlatform(descriptor.platform!), wanted);
    if (level >= 0 && (best === undefined || level > best.level)) best = { descriptor, level };
  }
  if (best !== undefined) return best.descriptor;
  throw noneFor(platform, known);
}

/** Other spellings taken back to one: `aarch64` is `arm64`, `arm64/v8` is `arm64`, `arm` is `arm/v7`. */
export function normalPlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const written = platform.architecture.toLowerCase();
  const [architecture, implied] = Object.hasOwn(aliases, written) ? aliases[written]! : [written];
  const variant = platform.variant?.toLowerCase() || implied || (architecture === 'arm' ? 'v7' : undefined);
  const isPlain =
    (architecture === 'arm64' && variant === 'v8') || (architecture === 'amd64' && variant === 'v1');
  return { os, architecture, ...(variant !== undefined && !isPlain && { variant }) };
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
