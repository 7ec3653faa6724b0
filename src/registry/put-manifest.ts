import type { Digest } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { Reference } from '../oci/reference.ts';
import { accessTo } from './session.ts';
import { isOther, nameOf, otherDigest, type Target } from './target.ts';

/** What a push gives: a manifest, of an image or an index. */
export interface Pushed {
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
  /** The manifest as it was sent. */
  readonly bytes: Buffer;
}

/** Puts a manifest into a repository, under a tag or its digest. What it names must be there already. */
export async function putManifest(
  target: Target,
  manifest: Pushed,
  name: Pick<Reference, 'tag' | 'digest'>,
): Promise<void> {
  const { session, repository, signal } = target;
  if (name.tag === undefined && name.digest !== undefined && name.digest !== manifest.digest) {
    throw new BuildError(
      'usage',
      `the image's digest is ${manifest.digest}, so it cannot be pushed as ${name.digest}`,
      {
        hint: 'Push it under a tag.',
      },
    );
  }
  await session.retrying(async () => {
    const response = await session.request(`/v2/${repository}/manifests/${name.tag ?? manifest.digest}`, {
      method: 'PUT',
      access: accessTo(repository, 'pull,push'),
      headers: { 'content-type': manifest.mediaType },
      body: manifest.bytes,
      signal,
    });
    if (![200, 201, 202, 204].includes(response.status)) {
      throw await session.refusal(response, `pushing the manifest to ${nameOf(target)}`);
    }
    const stored = response.header('docker-content-digest');
    await response.discard();
    if (isOther(stored, manifest.digest)) throw otherDigest(target, { stored, sent: manifest.digest });
  }, signal);
}
