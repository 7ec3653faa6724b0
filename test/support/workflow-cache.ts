import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyOf, type HttpServer, startHttpServer } from './http-server.ts';

export interface WorkflowCacheServer extends HttpServer {
  readonly token: string;
  /** Keys of the entries that are there, oldest first. */
  keys(): string[];
}

interface Entry {
  readonly key: string;
  readonly version: string;
  bytes?: Buffer;
  finished: boolean;
}

/** What calls say, as far as it is looked at. */
interface Asked {
  readonly key: string;
  readonly version: string;
  readonly size_bytes?: string;
  readonly restore_keys?: readonly string[];
}

const service = '/twirp/github.actions.results.api.v1.CacheService/';

/**
 * The cache service that GitHub's runners have (v2), strict: entries never change, bytes go to and come from addresses
 * of their own which no token may reach, and what was announced must have arrived.
 */
export async function startWorkflowCache(): Promise<WorkflowCacheServer> {
  const token = 'runtime-token';
  const entries: Entry[] = [];
  const server = await startHttpServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    if (url.pathname.startsWith(service)) await call(request, response, url.pathname.slice(service.length));
    else await blob(request, response, url);
  });

  async function call(request: IncomingMessage, response: ServerResponse, method: string): Promise<void> {
    const answer = (status: number, json: object) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    if (request.headers.authorization !== `Bearer ${token}`)
      return answer(401, { code: 'unauthenticated', msg: `no such token: ${request.headers.authorization}` });
    const asked = JSON.parse((await bodyOf(request)).toString()) as Asked;
    const { key, version, size_bytes, restore_keys = [] } = asked;
    if (!/^[0-9a-f]{64}$/.test(version) || key.length > 512 || key.includes(','))
      return answer(400, { code: 'invalid_argument', msg: 'key or version' });
    const same = entries.filter((entry) => entry.version === version);
    if (method === 'CreateCacheEntry') {
      if (same.some((entry) => entry.key === key))
        return answer(409, { code: 'already_exists', msg: 'cache entry with the same key exists' });
      entries.push({ key, version, finished: false });
      return answer(200, {
        ok: true,
        signed_upload_url: `${server.origin}/blob/${entries.length - 1}?sig=up`,
      });
    }
    if (method === 'FinalizeCacheEntryUpload') {
      const entry = same.find((one) => one.key === key);
      if (entry?.bytes?.length !== Number(size_bytes)) return answer(200, { ok: false });
      entry.finished = true;
      return answer(200, { ok: true, entry_id: '1' });
    }
    const done = same.filter(({ finished }) => finished);
    const found =
      done.find((entry) => entry.key === key) ??
      done.findLast((entry) => restore_keys.some((prefix) => entry.key.startsWith(prefix)));
    if (found === undefined) return answer(200, { ok: false, signed_download_url: '', matched_key: '' });
    const address = `${server.origin}/blob/${entries.indexOf(found)}?sig=down`;
    return answer(200, { ok: true, signed_download_url: address, matched_key: found.key });
  }

  async function blob(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const entry = entries[Number(url.pathname.slice('/blob/'.length))];
    const isUpload = request.method === 'PUT' && url.searchParams.get('sig') === 'up';
    const isDownload = request.method === 'GET' && url.searchParams.get('sig') === 'down';
    if (entry === undefined || request.headers.authorization !== undefined || !(isUpload || isDownload)) {
      response.writeHead(403).end('<Error><Code>AuthenticationFailed</Code></Error>');
    } else if (isDownload) {
      response.writeHead(200, { 'content-length': String(entry.bytes!.length) }).end(entry.bytes);
    } else {
      const isBlock = request.headers['x-ms-blob-type'] === 'BlockBlob';
      entry.bytes = await bodyOf(request);
      response.writeHead(isBlock ? 201 : 400).end();
    }
  }

  return { ...server, token, keys: () => entries.map(({ key }) => key) };
}
