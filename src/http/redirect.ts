import { BuildError } from '../core/errors.ts';
import { isLoopback, isOfThisMachine } from './address.ts';
import { redact } from './redact.ts';
import type { Hop, HttpRequest } from './request.ts';
import type { HttpResponse } from './response.ts';

/**
 * The request that a redirect leads to, or undefined where the response is none. Only reading methods follow
 * 301, 302 and 303; 307 and 308 repeat any method with its body.
 */
export function nextHop(hop: Hop, response: HttpResponse, tlsVerify: boolean): Hop | undefined {
  const location = response.header('location');
  if (location === undefined || !isFollowed(response.status, hop.request.method ?? 'GET')) return undefined;
  const url = target(location, hop.url);
  if (hop.url.protocol === 'https:' && url.protocol !== 'https:' && tlsVerify) {
    throw refused(hop.url, url, 'it leads from https to http');
  }
  if (isOfThisMachine(url.hostname) && url.hostname !== hop.url.hostname) {
    if (!isLoopback(hop.url.hostname)) throw refused(hop.url, url, 'it leads into this machine');
  }
  return { url, request: url.origin === hop.url.origin ? hop.request : withoutSecrets(hop.request) };
}

function isFollowed(status: number, method: string): boolean {
  if (status === 307 || status === 308) return true;
  return [301, 302, 303].includes(status) && (method === 'GET' || method === 'HEAD');
}

function target(location: string, base: URL): URL {
  if (URL.canParse(location, base.href)) {
    const url = new URL(location, base);
    if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  }
  throw new BuildError(
    'network',
    `${redact(base)} redirects to something that is not an http or https address`,
  );
}

/** Authorization and cookies are for the server that they were made for (registry.md §3, RFC 9110 §15.4). */
function withoutSecrets(request: HttpRequest): HttpRequest {
  const { authorization: _, cookie: __, 'proxy-authorization': ___, ...headers } = request.headers ?? {};
  return { ...request, headers };
}

function refused(from: URL, to: URL, why: string): BuildError {
  return new BuildError(
    'network',
    `the redirect from ${redact(from)} to ${redact(to)} is not followed: ${why}`,
    {
      hint: 'Correct the server, or use --tls-verify=false where that is meant.',
    },
  );
}
