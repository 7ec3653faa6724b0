import { type Digest, digestOf } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import { descriptorOf } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { type Signer, signaturePayload, signatureTag, withSignature } from '../oci/signature.ts';
import { putBytes } from './put-blob.ts';
import { putManifest } from './put-manifest.ts';
import { remoteManifest } from './resolve.ts';
import type { Target } from './target.ts';

/**
 * Signs a manifest that a repository has, as cosign does: the signature is added to those under its tag there. Two who
 * sign at the same moment can lose one of both: registries know no transaction (registry.md §7).
 */
export async function putSignature(target: Target, digest: Digest, signer: Signer): Promise<void> {
  const { session, repository } = target;
  const here = { host: session.host, repository };
  const tag = signatureTag(digest);
  const payload = signaturePayload(here, digest);
  const former = await formerSignatures(target, tag);
  const made = withSignature(former, payload, signer);
  if (made === undefined) return;
  for (const bytes of [payload, made.config])
    await putBytes(target, descriptorOf(bytes, 'application/octet-stream'), bytes);
  const { size } = made.descriptor;
  const pushed = { bytes: made.bytes, mediaType: mediaTypes.ociManifest, digest: digestOf(made.bytes), size };
  await putManifest(target, pushed, { tag });
}

async function formerSignatures(
  { session, repository, signal }: Target,
  tag: string,
): Promise<Buffer | undefined> {
  try {
    const asking = { open: async () => session, signal };
    return (await remoteManifest({ host: session.host, repository, tag }, asking)).bytes;
  } catch (error) {
    if (error instanceof BuildError && error.code === 'not-found') return undefined;
    throw error;
  }
}
