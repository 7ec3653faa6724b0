import { digestOf } from '../../src/core/digest.ts';
import { BuildError, usageError } from '../../src/core/errors.ts';
import type { Origin } from '../../src/core/types.ts';
import { formatReference, type Reference } from '../../src/oci/reference.ts';
import { blobFetcher, type OpenSession } from '../../src/registry/fetch.ts';
import { putBlob } from '../../src/registry/put-blob.ts';
import { putManifest } from '../../src/registry/put-manifest.ts';
import { getManifest } from '../../src/registry/resolve.ts';
import type { Target } from '../../src/registry/target.ts';
import { firstHabits } from '../../src/registry/upload-pieces.ts';
import type { CachePlace } from './place.ts';

/** A cache as a manifest in a registry: it keeps what the manifest lists, and hands it out as it does images. */
export function registryPlace(
  reference: Reference,
  openFor: (names: readonly Origin[]) => Promise<OpenSession>,
): CachePlace {
  const open: OpenSession = async (host, signal) => (await openFor([reference]))(host, signal);
  const { host, repository } = reference;
  const habits = firstHabits(host);
  const target = async (signal?: AbortSignal): Promise<Target> => {
    return { session: await open(host, signal), repository, signal, habits };
  };
  return {
    name: formatReference(reference),
    origin: { host, repository },
    async manifest(digest, signal) {
      try {
        const name = digest ?? reference.digest ?? reference.tag!;
        return (await getManifest(reference, name, { open, signal })).bytes;
      } catch (error) {
        if (error instanceof BuildError && error.code === 'not-found') return undefined;
        throw error;
      }
    },
    fetch: blobFetcher(open),
    put: async (offered, signal) => await putBlob(await target(signal), offered),
    async commit({ bytes, mediaType }, signal) {
      if (reference.tag === undefined)
        throw usageError(
          `a cache cannot be put under a digest: ${formatReference(reference)}`,
          'Give it a tag.',
        );
      const manifest = { bytes, mediaType, digest: digestOf(bytes), size: bytes.length };
      await putManifest(await target(signal), manifest, { tag: reference.tag });
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
