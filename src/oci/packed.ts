import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type Digest, finish, hasher } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { Descriptor } from '../core/types.ts';

/** A blob on its way into a layout or archive: where its bytes are. */
export interface BlobSource {
  readonly descriptor: Descriptor;
  /** The bytes, the absolute path of a file with them, or a stream of them. */
  readonly content: Buffer | string | (() => AsyncIterable<Buffer>);
}

/** An image whose layers are packed, ready to be written somewhere. */
export interface PackedImage {
  readonly config: Buffer;
  readonly manifest: { readonly bytes: Buffer; readonly mediaType: string; readonly descriptor: Descriptor };
  readonly layers: readonly BlobSource[];
  /** Full names (`docker.io/library/myapp:latest`); the first is the one a layout shows. */
  readonly names: readonly string[];
}

/** Images for several platforms and the index that names them, ready to be written somewhere. */
export interface PackedIndex {
  readonly index: { readonly bytes: Buffer; readonly mediaType: string; readonly descriptor: Descriptor };
  readonly images: readonly PackedImage[];
  /** As of an image; the members have none of their own. */
  readonly names: readonly string[];
}

/** What an OCI layout or archive takes. */
export type Packed = PackedImage | PackedIndex;

/** An image found in a layout or archive; its blobs are files, checked against their descriptors. */
export interface FoundImage {
  readonly names: readonly string[];
  readonly config: Buffer;
  readonly manifest: { readonly bytes: Buffer; readonly mediaType: string };
  readonly layers: readonly { readonly descriptor: Descriptor; readonly path: string }[];
}

/** The bytes of a blob; fails with `digest-mismatch` at the end where they are not what the descriptor says. */
export async function* blobBytes({ descriptor, content }: BlobSource): AsyncIterable<Buffer> {
  const check = new BlobCheck(descriptor);
  for await (const chunk of open(content)) {
    check.add(chunk);
    yield chunk;
  }
  check.finish();
}

/** Compares bytes that pass by with a descriptor. */
export class BlobCheck {
  readonly #expected: { readonly digest: Digest; readonly size: number };
  readonly #hash: Hash = hasher();
  #size = 0;

  constructor(expected: { readonly digest: Digest; readonly size: number }) {
    this.#expected = expected;
  }

  add(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    if (this.#size > this.#expected.size)
      this.#fail(`is longer than the ${this.#expected.size} bytes announced`);
  }

  finish(): void {
    if (this.#size !== this.#expected.size) {
      this.#fail(`has ${this.#size} bytes, not the ${this.#expected.size} announced`);
    }
    const digest = finish(this.#hash);
    if (digest !== this.#expected.digest) this.#fail(`has the digest ${digest} instead`);
  }

  #fail(what: string): never {
    throw new BuildError('digest-mismatch', `the blob ${this.#expected.digest} ${what}`, {
      hint: 'It was damaged or changed on its way: fetch or make it again.',
    });
  }
}

/** All bytes of a stream that is known to be small; more than `limit` throws `image`. */
export async function gather(source: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > limit) throw new BuildError('image', `a file of the image is larger than ${limit} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

function open(content: BlobSource['content']): AsyncIterable<Buffer> {
  if (typeof content === 'string') return createReadStream(content, { highWaterMark: 2 ** 20 });
  return Buffer.isBuffer(content) ? once(content) : content();
}

async function* once(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes;
}
