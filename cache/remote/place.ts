import type { Digest } from '../../src/core/digest.ts';
import type { FetchBlob } from '../../src/core/store.ts';
import type { Origin } from '../../src/core/types.ts';
import type { EncodedManifest } from '../../src/oci/manifest.ts';
import type { Arrival, Offered } from '../../src/registry/put-blob.ts';

/**
 * Where a cache is kept: blobs by digest and, under the cache's name, one manifest that lists them. A manifest is put
 * after all that it names, and takes the place of the one before in one step.
 */
export interface CachePlace extends AsyncDisposable {
  /** As messages name it. */
  readonly name: string;
  /** Stands in layers that are to be fetched from here. */
  readonly origin: Origin;
  /** The manifest of the cache's name, or the one of a digest that it names; undefined where there is none. */
  manifest(digest?: Digest, signal?: AbortSignal): Promise<Buffer | undefined>;
  readonly fetch: FetchBlob;
  put(offered: Offered, signal?: AbortSignal): Promise<Arrival>;
  /** Puts the manifest under the cache's name. */
  commit(manifest: EncodedManifest, signal?: AbortSignal): Promise<void>;
}

/** Whether an origin's host names a place that is no registry: no host of a registry has such a name. */
export function isPlace(host: string): boolean {
  return host.startsWith('cache/');
}

/** Stands for folders where the origin of a blob has the host of a registry. */
export const folderHost = 'cache/local';

/** Whether what is kept there can be fetched by every command, and not only by the build that names the place. */
export function isLasting(host: string): boolean {
  return host === folderHost;
}
