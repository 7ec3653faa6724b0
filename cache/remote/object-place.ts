import { createReadStream } from 'node:fs';
import { type Digest, digestOf, hexOf } from '../../src/core/digest.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { Descriptor, Origin } from '../../src/core/types.ts';
import { maxManifestBytes } from '../../src/oci/manifest.ts';
import { type BlobSource, gather } from '../../src/oci/packed.ts';
import type { CachePlace } from './place.ts';

/** Something to be stored: what it is, and its bytes, which may be asked for anew after a failure. */
export interface StoredObject extends Pick<Descriptor, 'digest' | 'size'> {
  readonly content: () => AsyncIterable<Buffer>;
}

/** A service that keeps objects by name and knows nothing of what they are. */
export interface ObjectService {
  /** As messages name it. */
  readonly name: string;
  /** Stands in origins; no other place has the same. */
  readonly id: string;
  has(name: string, signal?: AbortSignal): Promise<boolean>;
  /** The bytes of an object; undefined where there is none. */
  get(name: string, signal?: AbortSignal): Promise<AsyncIterable<Buffer> | undefined>;
  /** Puts a blob, which never changes. */
  put(name: string, object: StoredObject, signal?: AbortSignal): Promise<void>;
  /** The newest of what was put under a name by `putRoot`. */
  getRoot(name: string, signal?: AbortSignal): Promise<AsyncIterable<Buffer> | undefined>;
  putRoot(name: string, object: StoredObject, signal?: AbortSignal): Promise<void>;
}

/** A cache in a service for objects: an object for each blob, and one for the manifest of each cache. */
export function objectPlace(service: ObjectService, cache: string): CachePlace {
  const origin: Origin = { host: `cache/${service.id}`, repository: cache };
  const manifestBytes = async (found: AsyncIterable<Buffer> | undefined) =>
    found === undefined ? undefined : await gather(found, maxManifestBytes);
  return {
    name: `${cache} of ${service.name}`,
    origin,
    async manifest(digest, signal) {
      if (digest === undefined) return await manifestBytes(await service.getRoot(cache, signal));
      const bytes = await manifestBytes(await service.get(blobName(digest), signal));
      if (bytes === undefined || digestOf(bytes) === digest) return bytes;
      throw new BuildError('digest-mismatch', `the manifest ${digest} in ${service.name} is damaged`);
    },
    async fetch(_, { digest }, signal) {
      const found = await service.get(blobName(digest), signal);
      if (found !== undefined) return found;
      throw new BuildError('not-found', `${service.name} has no blob ${digest}`);
    },
    async put({ descriptor, open, onBytes }, signal) {
      if (await service.has(blobName(descriptor.digest), signal)) return { descriptor, how: 'exists' };
      const source = await open();
      const { digest, size } = source.descriptor;
      const content = () => counted(bytesOf(source.content), onBytes);
      await service.put(blobName(digest), { digest, size, content }, signal);
      return { descriptor: source.descriptor, how: 'done' };
    },
    async commit({ bytes, descriptor }, signal) {
      const { digest, size } = descriptor;
      await service.putRoot(cache, { digest, size, content: () => bytesOf(bytes) }, signal);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

function blobName(digest: Digest): string {
  return `sha256-${hexOf(digest)}`;
}

function bytesOf(content: BlobSource['content']): AsyncIterable<Buffer> {
  if (typeof content === 'function') return content();
  return typeof content === 'string' ? createReadStream(content, { highWaterMark: 1 << 20 }) : once(content);
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

async function* counted(
  chunks: AsyncIterable<Buffer>,
  onBytes: ((done: number) => void) | undefined,
): AsyncGenerator<Buffer> {
  let done = 0;
  for await (const chunk of chunks) {
    yield chunk;
    done += chunk.length;
    onBytes?.(done);
  }
}
