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
export function workflowService(
  { url, token, scope }: WorkflowCache,
  { request, retrying }: Reach,
): ObjectService {
  const base = new URL(url.endsWith('/') ? url : `${url}/`);
  const name = 'the cache of the workflow';
  const call = async (method: string, message: object, signal?: AbortSignal): Promise<Answer> => {
    const response = await request(new URL(`${service}/${method}`, base), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ ...message, version })),
      maxRedirects: 0,
      signal,
    });
    if (response.status === 404) return await none(response);
    if (response.status === 409) return await none(response, true);
    if (response.status !== 200) throw await refusalOf(response, `asking ${name}`, hint);
    return JSON.parse(await response.text(mostAnswerBytes)) as Answer;
  };
  const find = (key: string, exact: boolean, signal?: AbortSignal) =>
    retrying(async () => {
      const found = await call('GetCacheEntryDownloadURL', { key, restore_keys: [key] }, signal);
      const isIt = found.ok === true && (!exact || found.matched_key === key);
      return isIt ? signedUrl(found.signed_download_url, base) : undefined;
    }, signal);
  const get = async (key: string, exact: boolean, signal?: AbortSignal) => {
    const address = await find(key, exact, signal);
    if (address === undefined) return undefined;
    return await retrying(async () => {
      const response = await request(address, { signal });
      if (response.status === 200) return response.body;
      if (response.status !== 404) throw await refusalOf(response, `reading from ${name}`, hint);
      await response.discard();
      return undefined;
    }, signal);
  };
  const put = (key: string, object: StoredObject, signal?: AbortSignal) =>
    retrying(async () => {
      const created = await call('CreateCacheEntry', { key }, signal);
      // Another job is writing the same bytes, or has done so.
      if (created.exists === true) return;
      const address = signedUrl(created.signed_upload_url, base);
      if (created.ok !== true || address === undefined)
        throw new BuildError('network', `${name} takes no entry at the moment`, { hint });
      const response = await request(address, {
        method: 'PUT',
        headers: { 'content-length': String(object.size), 'x-ms-blob-type': 'BlockBlob' },
        body: object.size === 0 ? Buffer.alloc(0) : object.content,
        signal,
      });
      if (response.status !== 201) throw await refusalOf(response, `writing to ${name}`, hint);
      await response.discard();
      const ended = { key, size_bytes: String(object.size) };
      const finished = await call('FinalizeCacheEntryUpload', ended, signal);
      if (finished.ok !== true)
        throw new BuildError('network', `${name} has not kept an entry of ${object.size} bytes`);
    }, signal);
  const blobKey = (object: string) => `tsbuild-blob-${object}`;
  const rootKey = (object: string) => `tsbuild-${scope}-${object}#`;
  return {
    name,
    id: `gha/${base.host}`,
    has: async (object, signal) => (await find(blobKey(object), true, signal)) !== undefined,
    get: (object, signal) => get(blobKey(object), true, signal),
    put: (object, stored, signal) => put(blobKey(object), stored, signal),
    getRoot: (object, signal) => get(rootKey(object), false, signal),
    putRoot: (object, stored, signal) => put(`${rootKey(object)}${Date.now()}`, stored, signal),
  };
}

/** What the service answers, as far as it is read. */
interface Answer {
  readonly ok?: unknown;
  readonly exists?: boolean;
  readonly matched_key?: unknown;
  readonly signed_download_url?: unknown;
  readonly signed_upload_url?: unknown;
}

async function none(response: HttpResponse, exists = false): Promise<Answer> {
  await response.discard();
  return { ok: false, exists };
}

/** An address that the service signed: elsewhere, but never without TLS where the service has it. */
function signedUrl(text: unknown, base: URL): URL | undefined {
  if (typeof text !== 'string' || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'https:' || url.protocol === base.protocol ? url : undefined;
}
