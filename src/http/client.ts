import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';
import { BuildError } from '../core/errors.ts';
import { type Gate, gate } from '../core/gates.ts';
import { type ConnectionOptions, Connections } from './connections.ts';
import { networkError, type RequestFacts } from './failure.ts';
import { redact } from './redact.ts';
import { nextHop } from './redirect.ts';
import type { Hop, HttpRequest } from './request.ts';
import { type HttpResponse, responseOf } from './response.ts';

export interface ClientOptions extends ConnectionOptions {
  /** Requests to one host that may be under way, bodies included. Default 8. */
  readonly perHost?: number;
  /** No request is sent: each fails with `network`. */
  readonly offline?: boolean | undefined;
}

/** One HTTP client for everything: `request` answers with any status; only a broken exchange throws (`network`). */
export interface HttpClient {
  request(url: string | URL, request?: HttpRequest): Promise<HttpResponse>;
  /** Ends connections that are kept open. */
  close(): Promise<void>;
}

/**
 * Makes a client that knows the system's authorities, certs.d, proxies and NO_PROXY. Redirects are followed here:
 * Authorization stays behind when scheme, host or port change, and https never leads to http. Nothing is read and
 * nothing is loaded before the first request.
 */
export function createClient(options: ClientOptions): HttpClient {
  const pools = new Connections(options);
  const gates = new Map<string, Gate>();
  const gateOf = (url: URL): Gate => {
    const known = gates.get(url.host) ?? gate(options.perHost ?? 8);
    gates.set(url.host, known);
    return known;
  };
  return {
    request: (url, request = {}) =>
      options.offline
        ? Promise.reject(notSent(parseUrl(url), request))
        : follow(parseUrl(url), request, (hop) => exchange(hop, pools, gateOf, options)),
    close: () => pools.close(),
  };

  async function follow(first: URL, request: HttpRequest, send: Send): Promise<HttpResponse> {
    if (request.signal !== undefined) setMaxListeners(0, request.signal);
    let hop: Hop = { url: first, request };
    for (let left = request.maxRedirects ?? 5; ; left--) {
      const response = await send(hop);
      if (request.maxRedirects === 0) return response;
      const next = nextHop(hop, response, options.tlsVerify);
      if (next === undefined) return response;
      await response.discard();
      if (left <= 0) throw tooManyRedirects(first);
      hop = next;
    }
  }
}

type Send = (hop: Hop) => Promise<HttpResponse>;

/** Sends one request; its place at the host's gate is held until the answer's body has ended. */
function exchange(
  hop: Hop,
  pools: Connections,
  gateOf: (url: URL) => Gate,
  options: ClientOptions,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const held = gateOf(hop.url)(async () => {
      const response = await dispatch(hop, pools, options.timeouts ?? {});
      resolve(response);
      await response.closed;
    });
    held.catch(reject);
  });
}

async function dispatch(
  hop: Hop,
  pools: Connections,
  timeouts: NonNullable<ClientOptions['timeouts']>,
): Promise<HttpResponse> {
  const { url, request } = hop;
  const { method = 'GET', signal } = request;
  let facts: RequestFacts = { method, url, proxy: undefined, signal };
  const idleMs = timeouts.idleMs ?? 60_000;
  try {
    signal?.throwIfAborted();
    const { dispatcher, proxy } = await pools.to(url, request.alsoTrust);
    facts = { ...facts, proxy };
    const answer = await dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: { 'user-agent': 'tsbuild', ...request.headers },
      body: bodyOf(request.body),
      headersTimeout: timeouts.headersMs ?? (request.body === undefined ? 60_000 : 300_000),
      bodyTimeout: idleMs,
      ...(signal !== undefined && { signal }),
    });
    return responseOf(answer, facts, idleMs);
  } catch (error) {
    throw networkError(error, facts);
  }
}

function bodyOf(body: HttpRequest['body']): Buffer | Readable | null {
  if (body === undefined || Buffer.isBuffer(body)) return body ?? null;
  return Readable.from(body(), { objectMode: false, highWaterMark: 1 << 20 });
}

function parseUrl(url: string | URL): URL {
  const text = String(url);
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return parsed;
  throw new BuildError('network', `${redact(text)} is not an http or https address`);
}

function notSent(url: URL, { method = 'GET' }: HttpRequest): BuildError {
  return new BuildError('network', `${method} ${redact(url)} was not sent: --offline forbids it`, {
    hint: 'Leave --offline away for one build: what it fetches stays in the store.',
  });
}

function tooManyRedirects(url: URL): BuildError {
  return new BuildError('network', `${redact(url)} redirects too often`);
}
