import { type Digest, digestOf, hexOf } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { Descriptor, Origin } from '../core/types.ts';
import { descriptorOf, parseManifest } from './manifest.ts';
import { mediaTypes } from './media-types.ts';

/** A private key at work. */
export interface Signer {
  /** The signature over a payload, in base64. */
  sign(payload: Buffer): string;
  /** Whether this key made a signature. */
  verifies(payload: Buffer, signature: string): boolean;
}

const payloadType = 'application/vnd.dev.cosign.simplesigning.v1+json';
const annotation = 'dev.cosignproject.cosign/signature';

/** What is signed: that a digest is what a repository has (cosign, SIGNATURE_SPEC.md: simple signing). */
export function signaturePayload({ host, repository }: Origin, digest: Digest): Buffer {
  const registry = host === 'docker.io' ? 'index.docker.io' : host;
  const critical = {
    identity: { 'docker-reference': `${registry}/${repository}` },
    image: { 'docker-manifest-digest': digest },
    type: 'cosign container image signature',
  };
  return Buffer.from(JSON.stringify({ critical, optional: null }));
}

/** The tag under which the signatures of a manifest are kept, beside it. */
export function signatureTag(digest: Digest): string {
  return `sha256-${hexOf(digest)}.sig`;
}

/** The manifest of all signatures of an image, and what it names besides payloads. */
export interface SignatureManifest {
  readonly bytes: Buffer;
  readonly descriptor: Descriptor;
  readonly config: Buffer;
}

/**
 * Adds a signature to those that a manifest has so far; undefined where this key has signed the same already. Fails
 * with `image` where what is kept under the tag is something else.
 */
export function withSignature(
  former: Buffer | undefined,
  payload: Buffer,
  signer: Signer,
): SignatureManifest | undefined {
  const layers = former === undefined ? [] : signaturesIn(former);
  const digest = digestOf(payload);
  const isSigned = layers.some(
    (layer) => layer.digest === digest && signer.verifies(payload, layer.annotations?.[annotation] ?? ''),
  );
  if (isSigned) return undefined;
  const added: Descriptor = {
    ...descriptorOf(payload, payloadType),
    annotations: { [annotation]: signer.sign(payload) },
  };
  const all = [...layers, added];
  const config = configOf(all);
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptorOf(config, mediaTypes.ociConfig),
    layers: all,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return { bytes, config, descriptor: descriptorOf(bytes, mediaTypes.ociManifest) };
}

function signaturesIn(bytes: Buffer): readonly Descriptor[] {
  const parsed = parseManifest(bytes);
  if (parsed.kind === 'image' && parsed.manifest.layers.every(({ mediaType }) => mediaType === payloadType))
    return parsed.manifest.layers;
  throw new BuildError('image', 'what the registry keeps as signatures of the image are none', {
    hint: 'Look at it with `cosign tree`, and delete the tag that ends in .sig.',
  });
}

function configOf(layers: readonly Descriptor[]): Buffer {
  const diff_ids = layers.map(({ digest }) => digest);
  const none = { architecture: '', os: '', config: {} };
  return Buffer.from(JSON.stringify({ ...none, rootfs: { type: 'layers', diff_ids } }));
}
