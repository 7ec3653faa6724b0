import { digestOf, isDigest } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { Descriptor, Manifest, Platform } from '../core/types.ts';
import { type Format, mediaTypes, relabel } from './media-types.ts';

/** Bytes that a manifest may have: what registries take and keep. */
export const maxManifestBytes = 4 * 2 ** 20;

const oldTypes = new Set([
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
  'application/vnd.docker.distribution.manifest.v1+json',
]);

export interface EncodedManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly descriptor: Descriptor;
}

/** A manifest as it was found: one image, or an index of several. */
export type ParsedManifest =
  | { readonly kind: 'image'; readonly manifest: Manifest }
  | { readonly kind: 'index'; readonly manifests: readonly Descriptor[] };

/**
 * The manifest of an image; the same input always gives the same bytes. Layers get the format's media types.
 * Docker's format has no annotations: they are left out. Throws `usage` for zstd layers in it.
 */
export function manifestOf(image: {
  readonly config: Buffer;
  /** What the configuration is where it is no image's. */
  readonly configType?: string;
  readonly layers: readonly Descriptor[];
  readonly format: Format;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}): EncodedManifest {
  const isOci = image.format === 'oci';
  const mediaType = isOci ? mediaTypes.ociManifest : mediaTypes.dockerManifest;
  const imageType = isOci ? mediaTypes.ociConfig : mediaTypes.dockerConfig;
  const annotations = isOci ? sorted(image.annotations) : undefined;
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: descriptorOf(image.config, image.configType ?? imageType),
    layers: image.layers.map((layer) => written(layer, image.format)),
    ...(annotations !== undefined && { annotations }),
  };
  const bytes = Buffer.from(JSON.stringify(manifest, null, 2));
  return { bytes, mediaType, descriptor: descriptorOf(bytes, mediaType) };
}

/**
 * The index of images for several platforms: an OCI index or a Docker manifest list. Each descriptor has its platform.
 * The same input always gives the same bytes; Docker's format has no annotations.
 */
export function indexOf(index: {
  readonly manifests: readonly Descriptor[];
  readonly format: Format;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}): EncodedManifest {
  const isOci = index.format === 'oci';
  const mediaType = isOci ? mediaTypes.ociIndex : mediaTypes.dockerIndex;
  const annotations = isOci ? sorted(index.annotations) : undefined;
  const manifests = index.manifests.map((manifest) => {
    const { digest, size, platform } = manifest;
    const own = isOci ? sorted(manifest.annotations) : undefined;
    return {
      mediaType: manifest.mediaType,
      digest,
      size,
      ...(own !== undefined && { annotations: own }),
      platform,
    };
  });
  const json = { schemaVersion: 2, mediaType, manifests, ...(annotations !== undefined && { annotations }) };
  const bytes = Buffer.from(JSON.stringify(json, null, 2));
  return { bytes, mediaType, descriptor: descriptorOf(bytes, mediaType) };
}

export function descriptorOf(bytes: Buffer, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

/**
 * Takes a manifest or index of a registry or archive apart. `mediaType` is what came with it, where something did
 * (a Content-Type). Input is hostile: everything that is used is checked; throws `image`.
 */
export function parseManifest(bytes: Buffer, mediaType?: string): ParsedManifest {
  if (bytes.length > maxManifestBytes) throw malformed('is larger than 4 MiB');
  const json = parseJson(bytes);
  const type = typeOf(json, contentType(mediaType));
  if (type === mediaTypes.ociIndex || type === mediaTypes.dockerIndex) {
    return { kind: 'index', manifests: descriptors(json.manifests, 'manifests') };
  }
  const annotations = strings(json.annotations, 'annotations');
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: type,
    config: descriptor(json.config, 'config'),
    layers: descriptors(json.layers, 'layers'),
    ...(annotations !== undefined && { annotations }),
  };
  return { kind: 'image', manifest };
}

function written(layer: Descriptor, format: Format): Descriptor {
  const { digest, size } = layer;
  const annotations = format === 'oci' ? sorted(layer.annotations) : undefined;
  const mediaType = relabel(layer.mediaType, format);
  return { mediaType, digest, size, ...(annotations !== undefined && { annotations }) };
}

function sorted(fields: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  const entries = Object.entries(fields ?? {});
  if (entries.length === 0) return undefined;
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(bytes: Buffer): Json {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw malformed('is not JSON', cause);
  }
  if (!isObject(json)) throw malformed('is not an object');
  return json;
}

/**
 * What a manifest is: its own word and the one that came with it must agree, and one that could be read both as an
 * image and as an index is refused (it would be another thing to another reader).
 */
function typeOf(json: Json, came: string | undefined): string {
  const own = typeof json.mediaType === 'string' && json.mediaType !== '' ? json.mediaType : undefined;
  refuseOld(json, own ?? came);
  if (json.schemaVersion !== 2) throw malformed('has no schemaVersion 2');
  const isImage = json.config !== undefined || json.layers !== undefined;
  const isIndex = json.manifests !== undefined;
  if (isImage === isIndex) throw malformed('is neither an image nor an index');
  const images: readonly string[] = [mediaTypes.ociManifest, mediaTypes.dockerManifest];
  const indexes: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerIndex];
  const isKnown = came !== undefined && (images.includes(came) || indexes.includes(came));
  if (own !== undefined && isKnown && own !== came) throw malformed(`says it is ${own} but came as ${came}`);
  const type = own ?? (isKnown ? came : isIndex ? mediaTypes.ociIndex : mediaTypes.ociManifest);
  if (!(isIndex ? indexes : images).includes(type))
    throw malformed(`has a media type that does not fit: ${type}`);
  return type;
}

function contentType(header: string | undefined): string | undefined {
  return header?.replace(/;.*$/s, '').trim().toLowerCase();
}

function refuseOld(json: Json, type: string | undefined): void {
  if (json.schemaVersion !== 1 && !oldTypes.has(type ?? '')) return;
  throw new BuildError('image', 'the image is in the schema 1 format of 2015, which tsbuild does not read', {
    hint: 'Have its publisher push it again with a current tool, or choose a newer tag.',
  });
}

function descriptors(value: unknown, where: string): Descriptor[] {
  if (!Array.isArray(value)) throw malformed(`has no list of ${where}`);
  return value.map((one, i) => descriptor(one, `${where}[${i}]`));
}

function descriptor(value: unknown, where: string): Descriptor {
  if (!isObject(value)) throw malformed(`has no descriptor at ${where}`);
  const { mediaType, digest, size } = value;
  if (typeof mediaType !== 'string' || mediaType === '') throw malformed(`has no media type at ${where}`);
  if (typeof digest !== 'string' || !isDigest(digest)) throw malformed(`has no sha256 digest at ${where}`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw malformed(`has no proper size at ${where}`);
  }
  const annotations = strings(value.annotations, where);
  const platform = platformIn(value.platform);
  return {
    mediaType,
    digest,
    size,
    ...(annotations !== undefined && { annotations }),
    ...(platform !== undefined && { platform }),
  };
}

function strings(value: unknown, where: string): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value) || !Object.values(value).every((one) => typeof one === 'string')) {
    throw malformed(`has malformed annotations at ${where}`);
  }
  return value as Record<string, string>;
}

function platformIn(value: unknown): Platform | undefined {
  if (!isObject(value)) return undefined;
  const { os, architecture, variant } = value;
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return { os, architecture, ...(typeof variant === 'string' && variant !== '' && { variant }) };
}

function malformed(what: string, cause?: unknown): BuildError {
  return new BuildError('image', `the manifest ${what}`, cause === undefined ? {} : { cause });
}
