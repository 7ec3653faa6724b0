import type { IncomingMessage, ServerResponse } from 'node:http';
import { digestOf } from '../../src/core/digest.ts';
import { bodyOf, type HttpServer, startHttpServer } from './http-server.ts';

/** Looks at a request before the registry does; true when it has dealt with it. `nth` counts from 1 per method and path. */
export type Fault = (
  request: IncomingMessage,
  response: ServerResponse,
  nth: number,
) => boolean | Promise<boolean>;

export interface FakeRegistry extends HttpServer {
  readonly blobs: Map<string, Buffer>;
  /** By `repository:tag` and `repository@digest`. */
  readonly manifests: Map<string, { readonly type: string; readonly bytes: Buffer }>;
  /** `PUT /v2/a/manifests/x` and so on, without queries. */
  requests(): string[];
}

/** A registry in memory that misbehaves as told. */
export async function startFakeRegistry(fault: Fault = () => false): Promise<FakeRegistry> {
  const blobs: FakeRegistry['blobs'] = new Map();
  const manifests: FakeRegistry['manifests'] = new Map();
  const counts = new Map<string, number>();
  const server = await startHttpServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const name = `${request.method} ${url.pathname}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (await fault(request, response, counts.get(name)!)) return;
    const [, repository, kind, rest = ''] = /^\/v2\/(.+?)\/(blobs|manifests)\/(.*)$/.exec(url.pathname) ?? [];
    if (repository === undefined) response.end('{}');
    else if (kind === 'manifests') await manifest(request, response, repository, rest);
    else if (rest.startsWith('uploads/')) await upload(request, response, url);
    else blob(request, response, rest);
  });

  async function manifest(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    name: string,
  ): Promise<void> {
    const key = repository + (name.includes(':') ? `@${name}` : `:${name}`);
    if (request.method === 'PUT') {
      const bytes = await bodyOf(request);
      const stored = { type: request.headers['content-type'] ?? '', bytes };
      manifests.set(key, stored).set(`${repository}@${digestOf(bytes)}`, stored);
      response.writeHead(201, { 'docker-content-digest': digestOf(bytes) }).end();
      return;
    }
    const found = manifests.get(key);
    if (found === undefined) {
      unknown(response, 'MANIFEST_UNKNOWN');
      return;
    }
    const headers = { 'content-type': found.type, 'docker-content-digest': digestOf(found.bytes) };
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : found.bytes);
  }

  async function upload(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (request.method === 'POST') {
      response.writeHead(202, { location: `${url.pathname}session?_state=a%2Bb%3D` }).end();
    } else if (request.method === 'PUT') {
      const bytes = await bodyOf(request);
      const right =
        url.searchParams.get('digest') === digestOf(bytes) && url.searchParams.get('_state') === 'a+b=';
      if (right) blobs.set(digestOf(bytes), bytes);
      response.writeHead(right ? 201 : 400).end();
    } else response.writeHead(204).end();
  }

  function blob(request: IncomingMessage, response: ServerResponse, digest: string): void {
    const bytes = blobs.get(digest);
    if (bytes === undefined) {
      unknown(response, 'BLOB_UNKNOWN');
      return;
    }
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const range = { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
    const headers = { 'content-length': bytes.length - start, etag: `"${digest}"`, ...(start > 0 && range) };
    response.writeHead(start > 0 ? 206 : 200, headers);
    response.end(request.method === 'HEAD' ? undefined : bytes.subarray(start));
  }

  return {
    ...server,
    blobs,
    manifests,
    requests: () => server.seen.map(({ method, url }) => `${method} ${url.split('?')[0]}`),
  };
}

function unknown(response: ServerResponse, code: string): void {
  response.writeHead(404, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message: 'unknown to registry' }] }));
}
