import { createHash } from 'node:crypto';
import { BuildError } from '../../src/core/errors.ts';
import type { HttpResponse } from '../../src/http/response.ts';
import type { ObjectService, StoredObject } from './object-place.ts';
import { type Reach, refusalOf } from './object-request.ts';

/** The cache service of a GitHub workflow, as the runner tells of it. */
export interface WorkflowCache {
  /** `ACTIONS_RESULTS_URL` */
  readonly url: string;
  /** `ACTIONS_RUNTIME_TOKEN` */
  readonly token: string;
  /** Keeps caches of one repository apart. */
  readonly scope: string;
}

const service = 'twirp/github.actions.results.api.v1.CacheService';
/** Entries of another version are not seen: it changes with what the entries hold. */
const version = createHash('sha256').update('tsbuild cache 1').digest('hex');
const hint =
  'ACTIONS_RUNTIME_TOKEN ends with its job; a workflow of a fork may only read. Pass both variables on to the step.';
const mostAnswerBytes = 1 << 20;

/**
 * Entries of the cache service (v2: Twirp over JSON, the bytes to and from addresses that it signs). An entry never
 * changes, so that a root is an entry with the time in its name, and the newest that begins alike is read. The token
 * goes to the service alone.
 */
export function workflowService(cache: WorkflowCache, reach: Reach): ObjectService {
  return new WorkflowEntries(cache, reach);
}

class WorkflowEntries implements ObjectService {
  readonly name = 'the cache of the workflow';
  readonly id: string;
  readonly #base: URL;
  readonly #cache: WorkflowCache;
  readonly #reach: Reach;

  constructor(cache: WorkflowCache, reach: Reach) {
    this.#base = new URL(cache.url.endsWith('/') ? cache.url : `${cache.url}/`);
    this.#cache = cache;
    this.#reach = reach;
    this.id = `gha/${this.#base.host}`;
  }

  async has(object: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.#find(blobKey(object), { isExact: true, signal })) !== undefined;
  }

  get(object: string, signal?: AbortSignal): Promise<AsyncIterable<Buffer> | undefined> {
    return this.#get(blobKey(object), { isExact: true, signal });
  }

  put(object: string, stored: StoredObject, signal?: AbortSignal): Promise<void> {
    return this.#put(blobKey(object), stored, signal);
  }

  getRoot(object: string, signal?: AbortSignal): Promise<AsyncIterable<Buffer> | undefined> {
    return this.#get(this.#rootKey(object), { isExact: false, signal });
  }

  putRoot(object: string, stored: StoredObject, signal?: AbortSignal): Promise<void> {
    return this.#put(`${this.#rootKey(object)}${Date.now()}`, stored, signal);
  }

  #rootKey(object: string): string {
    return `tsbuild-${this.#cache.scope}-${object}#`;
  }

  /** The address of an entry, or of the newest whose key begins so. */
  #find(key: string, { isExact, signal }: Wanted): Promise<URL | undefined> {
    return this.#reach.retrying(async () => {
      const asked = { key, restore_keys: isExact ? [] : [key] };
      const found = await this.#call('GetCacheEntryDownloadURL', asked, signal);
      const isIt = found.ok === true && (!isExact || found.matched_key === key);
      return isIt ? signedUrl(found.signed_download_url, this.#base) : undefined;
    }, signal);
  }

  async #get(key: string, wanted: Wanted): Promise<AsyncIterable<Buffer> | undefined> {
    const address = await this.#find(key, wanted);
    if (address === undefined) return undefined;
    return await this.#reach.retrying(async () => {
      const response = await this.#reach.request(address, { signal: wanted.signal });
      if (response.status === 200) return response.body;
      if (response.status !== 404) throw await this.#refusal(response, 'reading from');
      await response.discard();
      return undefined;
    }, wanted.signal);
  }

  #put(key: string, object: StoredObject, signal?: AbortSignal): Promise<void> {
    return this.#reach.retrying(async () => {
      const created = await this.#call('CreateCacheEntry', { key }, signal);
      // Another job is writing the same bytes, or has done so.
      if (created.exists === true) return;
      const address = signedUrl(created.signed_upload_url, this.#base);
      if (created.ok !== true || address === undefined) throw notTaken(this.name);
      await this.#upload(address, object, signal);
      const ended = { key, size_bytes: String(object.size) };
      const finished = await this.#call('FinalizeCacheEntryUpload', ended, signal);
      if (finished.ok !== true) throw notTaken(this.name);
    }, signal);
  }

  async #upload(address: URL, { size, content }: StoredObject, signal?: AbortSignal): Promise<void> {
    const response = await this.#reach.request(address, {
      method: 'PUT',
      headers: { 'content-length': String(size), 'x-ms-blob-type': 'BlockBlob' },
      body: size === 0 ? Buffer.alloc(0) : content,
      signal,
    });
    if (response.status !== 201) throw await this.#refusal(response, 'writing to');
    await response.discard();
  }

  async #call(method: string, message: object, signal?: AbortSignal): Promise<Answer> {
    const response = await this.#reach.request(new URL(`${service}/${method}`, this.#base), {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#cache.token}`, 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ ...message, version })),
      maxRedirects: 0,
      signal,
    });
    const { status } = response;
    if (status === 200) return answerIn(await response.text(mostAnswerBytes));
    if (status !== 404 && status !== 409) throw await this.#refusal(response, 'asking');
    await response.discard();
    return { ok: false, exists: status === 409 };
  }

  #refusal(response: HttpResponse, doing: string): Promise<BuildError> {
    return refusalOf(response, { doing: `${doing} ${this.name}`, hint, secrets: [this.#cache.token] });
  }
}

/** Which entry is wanted. */
interface Wanted {
  readonly isExact: boolean;
  readonly signal: AbortSignal | undefined;
}

function blobKey(object: string): string {
  return `tsbuild-blob-${object}`;
}

/** What the service answers, as far as it is read. */
interface Answer {
  readonly ok?: unknown;
  readonly exists?: boolean;
  readonly matched_key?: unknown;
  readonly signed_download_url?: unknown;
  readonly signed_upload_url?: unknown;
}

function answerIn(text: string): Answer {
  try {
    return (JSON.parse(text) ?? {}) as Answer;
  } catch (cause) {
    throw new BuildError('network', 'the cache of the workflow answered with something other than JSON', {
      cause,
    });
  }
}

function notTaken(name: string): BuildError {
  return new BuildError('network', `${name} has not kept an entry`, { hint });
}

/** An address that the service signed: elsewhere, but never without TLS where the service has it. */
function signedUrl(text: unknown, base: URL): URL | undefined {
  if (typeof text !== 'string' || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'https:' || url.protocol === base.protocol ? url : undefined;
}
