import { digestOf, hexOf } from '../../src/core/digest.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { HttpRequest } from '../../src/http/request.ts';
import type { HttpResponse } from '../../src/http/response.ts';
import type { ObjectService, StoredObject } from './object-place.ts';
import { type Reach, refusalOf } from './object-request.ts';
import { encodeKey, type S3Keys, signedHeaders } from './sigv4.ts';

/** A bucket of S3 or of something that speaks like it. */
export interface Bucket {
  readonly bucket: string;
  readonly region: string;
  /** Stands before every name. */
  readonly prefix: string;
  /** Where the service is, if not AWS. */
  readonly endpoint?: string | undefined;
  /** The bucket stands in the path, and not in the host's name. */
  readonly pathStyle: boolean;
}

/** Bytes that one object may have (S3: a single PUT). */
const mostBytes = 5 * 2 ** 30;
const emptyHash = hexOf(digestOf(''));
const hint =
  'Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, the region, and what the keys may do.';

/**
 * Objects in a bucket. Every request is signed; what is sent is named by its sha256, which S3 checks. Keys never follow
 * a redirect.
 */
export function s3Service(bucket: Bucket, keys: S3Keys, reach: Reach): ObjectService {
  return new S3Objects(bucket, keys, reach);
}

class S3Objects implements ObjectService {
  readonly name: string;
  readonly id: string;
  readonly #base: URL;
  readonly #bucket: Bucket;
  readonly #keys: S3Keys;
  readonly #reach: Reach;

  constructor(bucket: Bucket, keys: S3Keys, reach: Reach) {
    this.#base = baseOf(bucket);
    this.#bucket = bucket;
    this.#keys = keys;
    this.#reach = reach;
    this.name = `the bucket ${bucket.bucket}`;
    this.id = `s3/${this.#base.host}${this.#base.pathname}${bucket.prefix}`;
  }

  /** Keys that may not list a bucket are told 403 of what is not there. */
  has(object: string, signal?: AbortSignal): Promise<boolean> {
    return this.#reach.retrying(async () => {
      const response = await this.#send('HEAD', `blobs/${object}`, { signal });
      if (![200, 403, 404].includes(response.status)) throw await this.#refusal(response, 'looking into');
      await response.discard();
      return response.status === 200;
    }, signal);
  }

  get(object: string, signal?: AbortSignal): Promise<AsyncIterable<Buffer> | undefined> {
    return this.#get(`blobs/${object}`, signal);
  }

  put(object: string, stored: StoredObject, signal?: AbortSignal): Promise<void> {
    return this.#put(`blobs/${object}`, stored, signal);
  }

  getRoot(object: string, signal?: AbortSignal): Promise<AsyncIterable<Buffer> | undefined> {
    return this.#get(`manifests/${object}`, signal);
  }

  putRoot(object: string, stored: StoredObject, signal?: AbortSignal): Promise<void> {
    return this.#put(`manifests/${object}`, stored, signal);
  }

  #get(object: string, signal?: AbortSignal): Promise<AsyncIterable<Buffer> | undefined> {
    return this.#reach.retrying(async () => {
      const response = await this.#send('GET', object, { signal });
      if (response.status === 200) return response.body;
      if (response.status !== 404) throw await this.#refusal(response, 'reading from');
      await response.discard();
      return undefined;
    }, signal);
  }

  #put(object: string, stored: StoredObject, signal?: AbortSignal): Promise<void> {
    if (stored.size > mostBytes) throw tooLarge(this.name, stored);
    return this.#reach.retrying(async () => {
      const response = await this.#send('PUT', object, { object: stored, signal });
      if (response.status !== 200) throw await this.#refusal(response, 'writing to');
      await response.discard();
    }, signal);
  }

  async #send(method: 'GET' | 'HEAD' | 'PUT', object: string, sent: Sent): Promise<HttpResponse> {
    const { prefix, region } = this.#bucket;
    const url = new URL(`${this.#base.pathname}${encodeKey(prefix + object)}`, this.#base);
    const payloadHash = sent.object === undefined ? emptyHash : hexOf(sent.object.digest);
    const unsigned = { method, url, payloadHash, region, date: new Date() };
    return await this.#reach.request(url, {
      method,
      headers: { ...signedHeaders(unsigned, this.#keys), ...sizeOf(sent.object) },
      maxRedirects: 0,
      signal: sent.signal,
      ...(sent.object && { body: bodyOf(sent.object) }),
    });
  }

  #refusal(response: HttpResponse, doing: string): Promise<BuildError> {
    const { secretAccessKey, sessionToken } = this.#keys;
    const secrets = [secretAccessKey, ...(sessionToken ? [sessionToken] : [])];
    return refusalOf(response, { doing: `${doing} ${this.name}`, hint, secrets });
  }
}

interface Sent {
  readonly object?: StoredObject;
  readonly signal: AbortSignal | undefined;
}

function sizeOf(object: StoredObject | undefined): Record<string, string> {
  return object === undefined ? {} : { 'content-length': String(object.size) };
}

function bodyOf({ size, content }: StoredObject): NonNullable<HttpRequest['body']> {
  return size === 0 ? Buffer.alloc(0) : content;
}

/** The address below which the objects of a bucket are. */
function baseOf({ bucket, region, endpoint, pathStyle }: Bucket): URL {
  const url = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`);
  const path = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`;
  if (pathStyle) return new URL(`${path}${encodeKey(bucket)}/`, url);
  url.hostname = `${bucket}.${url.hostname}`;
  return new URL(path, url);
}

function tooLarge(name: string, { digest, size }: StoredObject): BuildError {
  return new BuildError('output', `the blob ${digest} of ${size} bytes is too large for ${name}`, {
    hint: 'One object has at most 5 GiB: divide the step that makes it, or share the cache by a registry.',
  });
}
