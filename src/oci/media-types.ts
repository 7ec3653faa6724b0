import { BuildError } from '../core/errors.ts';
import type { Compression } from '../core/types.ts';

/** The two families of manifests; their layers are the same bytes under other names. */
export type Format = 'oci' | 'docker';

/** Media types of manifests and configurations (image-spec, media-types.md; Docker manifest v2, schema 2). */
export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
} as const;

/** What a client that reads images asks a registry for, in order of preference. */
export const acceptedManifests: readonly string[] = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerIndex,
  mediaTypes.dockerManifest,
];

const ociLayer = 'application/vnd.oci.image.layer.v1.tar';
const dockerLayer = 'application/vnd.docker.image.rootfs.diff.tar';
const layers: Record<Format, Record<Compression, string | undefined>> = {
  oci: { gzip: `${ociLayer}+gzip`, zstd: `${ociLayer}+zstd`, uncompressed: ociLayer },
  docker: { gzip: `${dockerLayer}.gzip`, zstd: undefined, uncompressed: dockerLayer },
};
/** Layers that may not be pushed: kept in manifests, fetched from where they say. */
const foreign: Record<string, Compression> = {
  'application/vnd.oci.image.layer.nondistributable.v1.tar': 'uncompressed',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd': 'zstd',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip': 'gzip',
};

/** The media type of a layer; Docker has none for zstd, which throws `usage`. */
export function layerMediaType(format: Format, compression: Compression): string {
  const type = layers[format][compression];
  if (type !== undefined) return type;
  throw new BuildError('usage', 'an image in the docker format cannot have zstd layers', {
    hint: 'Use --format oci, or an -o with compression=gzip,force-compression=true.',
  });
}

/** How a layer of this media type is compressed, or undefined where it is none that is known. */
export function compressionOf(mediaType: string): Compression | undefined {
  for (const known of [layers.oci, layers.docker]) {
    for (const compression of ['gzip', 'zstd', 'uncompressed'] as const) {
      if (known[compression] === mediaType) return compression;
    }
  }
  return Object.hasOwn(foreign, mediaType) ? foreign[mediaType] : undefined;
}

export function isForeignLayer(mediaType: string): boolean {
  return Object.hasOwn(foreign, mediaType);
}

/** The same layer's name in the other family; what is not known, or foreign, stays as it is. */
export function relabel(mediaType: string, format: Format): string {
  const compression = compressionOf(mediaType);
  return compression === undefined || isForeignLayer(mediaType)
    ? mediaType
    : layerMediaType(format, compression);
}
