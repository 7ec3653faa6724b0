import { type Digest, digestOf } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import { hostPlatform } from '../core/platform.ts';
import type { Descriptor, Image, Layer, Manifest, Platform } from '../core/types.ts';
import { maxConfigBytes, parseConfig, platformOf } from '../oci/config.ts';
import { maxManifestBytes, parseManifest } from '../oci/manifest.ts';
import { acceptedManifests, mediaTypes } from '../oci/media-types.ts';
import { choosePlatform, isRunnable } from '../oci/platform.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { blobFetcher, type OpenSession } from './fetch.ts';
import { accessTo } from './session.ts';

/** What a reference means for a platform. */
export interface Resolved {
  readonly image: Image;
  /** Of the image's own manifest. */
  readonly digest: Digest;
  /** Of what the reference names: the index where there is one, else the same as `digest`. */
  readonly referenceDigest: Digest;
}

export interface ResolveOptions {
  readonly open: OpenSession;
  readonly platform: Platform;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks a registry for an image: its manifest (through an index, the platform's) and configuration, each checked
 * against its digest. Layers are named with their place, not fetched.
 */
export async function resolveImage(reference: Reference, options: ResolveOptions): Promise<Resolved> {
  const found = await getManifest(reference, reference.digest ?? reference.tag!, options);
  try {
    const { chosen, manifest } = await imageManifest(reference, found, options);
    const config = await getConfig(reference, manifest.config, options);
    const image = imageOf(reference, manifest, config, chosen);
    return { image, digest: chosen.digest, referenceDigest: found.digest };
  } catch (error) {
    throw named(error, reference);
  }
}

/** A manifest or index as its registry has it, verified. */
export type FoundManifest = Found;

/** What a reference names, as it stands. */
export function remoteManifest(
  reference: Reference,
  asking: Pick<ResolveOptions, 'open' | 'signal'>,
): Promise<FoundManifest> {
  return getManifest(reference, reference.digest ?? reference.tag!, asking);
}

/** Every image that a reference stands for: the one, or those of an index, without what is about them. */
export async function resolveAll(
  reference: Reference,
  asking: Pick<ResolveOptions, 'open' | 'signal'>,
): Promise<readonly Image[]> {
  const { bytes, mediaType } = await remoteManifest(reference, asking);
  const parsed = parseManifest(bytes, mediaType);
  if (parsed.kind === 'image')
    return [(await resolveImage(reference, { ...asking, platform: hostPlatform() })).image];
  const members = parsed.manifests.filter(isRunnable);
  const { host, repository } = reference;
  return await Promise.all(
    members.map(async ({ digest, platform }) => {
      const { image } = await resolveImage({ host, repository, digest }, { ...asking, platform: platform! });
      return image;
    }),
  );
}

/**
 * The digest that a reference has now, by HEAD (or GET, where HEAD does not say); undefined where it has none. It is the
 * registry's word: only what is pulled is verified.
 */
export async function remoteDigest(
  reference: Reference,
  open: OpenSession,
  signal?: AbortSignal,
): Promise<Digest | undefined> {
  const session = await open(reference.host, signal);
  const name = reference.digest ?? reference.tag!;
  const response = await session.retrying(async () => {
    const answer = await session.request(manifestPath(reference, name), {
      method: 'HEAD',
      access: accessTo(reference.repository, 'pull'),
      headers: { accept: acceptedManifests.join(', ') },
      signal,
    });
    if ([200, 404, ...noHead].includes(answer.status)) return answer;
    throw await session.refusal(answer, `looking for ${formatReference(reference)}`);
  }, signal);
  if (response.status === 404) return undefined;
  const digest = response.header('docker-content-digest') ?? '';
  if (response.status === 200 && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest as Digest;
  return digestByGet(reference, name, { open, signal });
}

/** Answers of registries that know no HEAD of a manifest. */
const noHead = [400, 405, 501];

async function digestByGet(
  reference: Reference,
  name: string,
  options: Pick<ResolveOptions, 'open' | 'signal'>,
): Promise<Digest> {
  const found = await getManifest(reference, name, options);
  try {
    parseManifest(found.bytes, found.mediaType);
  } catch (error) {
    throw named(error, reference);
  }
  return found.digest;
}

interface Found {
  readonly bytes: Buffer;
  /** As the registry says; undefined where it does not. */
  readonly mediaType: string | undefined;
  readonly digest: Digest;
}

/** Follows an index to the platform's manifest; an index in an index is followed once more, not for ever. */
async function imageManifest(
  reference: Reference,
  found: Found,
  options: ResolveOptions,
): Promise<{ chosen: Found; manifest: Manifest }> {
  let chosen = found;
  for (let depth = 0; depth < 3; depth++) {
    const parsed = parseManifest(chosen.bytes, chosen.mediaType);
    if (parsed.kind === 'image') return { chosen, manifest: parsed.manifest };
    const { digest } = choosePlatform(parsed.manifests, options.platform);
    chosen = await getManifest(reference, digest, options);
  }
  throw new BuildError('image', 'its index leads to another index again and again');
}

/** The manifest that a repository has under a tag or digest, as it came; fails with `not-found` where there is none. */
export async function getManifest(
  reference: Reference,
  name: string,
  { open, signal }: Pick<ResolveOptions, 'open' | 'signal'>,
): Promise<Found> {
  const session = await open(reference.host, signal);
  const doing = `pulling ${formatReference(reference)}`;
  return session.retrying(async () => {
    const response = await session.request(manifestPath(reference, name), {
      access: accessTo(reference.repository, 'pull'),
      headers: { accept: acceptedManifests.join(', ') },
      signal,
    });
    if (response.status !== 200) throw await session.refusal(response, doing);
    const bytes = await response.bytes(maxManifestBytes);
    const digest = digestOf(bytes);
    for (const said of [name.includes(':') ? name : undefined, response.header('docker-content-digest')]) {
      if (said?.startsWith('sha256:') && said !== digest) throw otherBytes(doing, said, digest);
    }
    return { bytes, digest, mediaType: response.header('content-type') };
  }, signal);
}

function manifestPath(reference: Reference, name: string): string {
  return `/v2/${reference.repository}/manifests/${name}`;
}

async function getConfig(
  reference: Reference,
  descriptor: Descriptor,
  options: ResolveOptions,
): Promise<Buffer> {
  if (descriptor.mediaType !== mediaTypes.ociConfig && descriptor.mediaType !== mediaTypes.dockerConfig) {
    throw new BuildError('image', `it is not an image but an artifact of type ${descriptor.mediaType}`);
  }
  if (descriptor.size > maxConfigBytes)
    throw new BuildError('image', 'its configuration is larger than 8 MiB');
  const fetch = blobFetcher(options.open);
  const chunks: Buffer[] = [];
  for await (const chunk of await fetch([reference], descriptor, options.signal)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const digest = digestOf(bytes);
  if (digest !== descriptor.digest) throw otherBytes('pulling its configuration', descriptor.digest, digest);
  return bytes;
}

function imageOf({ host, repository }: Reference, manifest: Manifest, config: Buffer, found: Found): Image {
  const parsed = parseConfig(config);
  const { rootfs } = parsed;
  if (rootfs.diff_ids.length !== manifest.layers.length) {
    const counts = `${manifest.layers.length} layers, its configuration ${rootfs.diff_ids.length}`;
    throw new BuildError('image', `its manifest names ${counts}`);
  }
  const layers = manifest.layers.map(
    (descriptor, i): Layer => ({
      diffId: rootfs.diff_ids[i]!,
      descriptor,
      origins: [{ host, repository }],
      own: false,
    }),
  );
  return {
    config,
    layers,
    platform: platformOf(parsed),
    manifest: { bytes: found.bytes, mediaType: manifest.mediaType! },
  };
}

function otherBytes(doing: string, wanted: string, got: Digest): BuildError {
  return new BuildError(
    'digest-mismatch',
    `${doing} gave other bytes than were named: ${got} instead of ${wanted}`,
    {
      hint: 'The registry, or something on the way, is broken or does not tell the truth.',
    },
  );
}

/** What is wrong inside an image is told with the image's name. */
function named(error: unknown, reference: Reference): unknown {
  if (!(error instanceof BuildError)) return error;
  if (!['image', 'not-found', 'digest-mismatch'].includes(error.code)) return error;
  if (error.message.includes(`${reference.host}/${reference.repository}`)) return error;
  const { code, hint, cause } = error;
  const message = `${formatReference(reference)}: ${error.message}`;
  return new BuildError(code, message, { cause, ...(hint !== undefined && { hint }) });
}
