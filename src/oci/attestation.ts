import { digestOf, hexOf } from '../core/digest.ts';
import type { Descriptor, Image } from '../core/types.ts';
import { descriptorOf } from './manifest.ts';
import { type Format, mediaTypes } from './media-types.ts';
import type { BlobSource, PackedImage } from './packed.ts';
import { imagePurl } from './purl.ts';

/** What is said about an image: a kind of statement by its address, and its content. */
export interface Attestation {
  readonly predicateType: string;
  readonly predicate: object;
}

/** What a build says about an image. */
export type Attest = (image: Image) => Promise<readonly Attestation[]>;

interface Named {
  readonly format: Format;
  /** What the images are called in the statements. */
  readonly names: readonly string[];
}

/** For each image of an index what is said about it, as a member of the index of its own. */
export async function attestationsFor(
  images: readonly Image[],
  manifests: readonly Descriptor[],
  { attest, ...named }: Named & { readonly attest?: Attest | undefined },
): Promise<readonly PackedImage[]> {
  if (attest === undefined) return [];
  return await Promise.all(
    manifests.map(async (manifest, i) => attestationManifest(await attest(images[i]!), manifest, named)),
  );
}

const statementType = 'application/vnd.in-toto+json';
const artifactType = 'application/vnd.docker.attestation.manifest.v1+json';
/** The empty descriptor's content (image-spec, manifest.md). */
const empty = Buffer.from('{}');

/**
 * Attestations as BuildKit keeps them: a manifest beside the image's in its index, for the platform `unknown`, with an
 * in-toto statement (v1) in each layer. An OCI artifact with the image as subject; in docker's format, which has none,
 * an image that runs nowhere.
 */
function attestationManifest(
  attestations: readonly Attestation[],
  about: Descriptor,
  { format, names }: Named,
): PackedImage {
  const { mediaType, digest, size } = about;
  const layers = attestations.map((one) => statementBlob(one, about, names));
  const isOci = format === 'oci';
  const config = isOci ? empty : foreignConfig(layers);
  const configType = isOci ? 'application/vnd.oci.empty.v1+json' : mediaTypes.dockerConfig;
  const manifest = {
    schemaVersion: 2,
    mediaType: isOci ? mediaTypes.ociManifest : mediaTypes.dockerManifest,
    ...(isOci && { artifactType }),
    config: descriptorOf(config, configType),
    layers: layers.map(({ descriptor }) => descriptor),
    ...(isOci && { subject: { mediaType, digest, size } }),
  };
  const bytes = Buffer.from(JSON.stringify(manifest, null, 2));
  const descriptor: Descriptor = {
    ...descriptorOf(bytes, manifest.mediaType),
    annotations: {
      'vnd.docker.reference.digest': digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
    platform: { os: 'unknown', architecture: 'unknown' },
  };
  return { config, layers, manifest: { bytes, mediaType: manifest.mediaType, descriptor }, names: [] };
}

function statementBlob(
  { predicateType, predicate }: Attestation,
  { digest, platform }: Descriptor,
  names: readonly string[],
): BlobSource {
  const called = names.map((name) => imagePurl(name, platform!));
  const subject = (called.length > 0 ? called : ['_']).map((name) => ({
    name,
    digest: { sha256: hexOf(digest) },
  }));
  const statement = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate };
  const content = Buffer.from(JSON.stringify(statement));
  const annotations = { 'in-toto.io/predicate-type': predicateType };
  return { descriptor: { ...descriptorOf(content, statementType), annotations }, content };
}

function foreignConfig(layers: readonly BlobSource[]): Buffer {
  const diff_ids = layers.map(({ content }) => digestOf(content as Buffer));
  const platform = { architecture: 'unknown', os: 'unknown' };
  return Buffer.from(JSON.stringify({ ...platform, config: {}, rootfs: { type: 'layers', diff_ids } }));
}
