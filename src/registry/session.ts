import type { BuildError } from '../core/errors.ts';
import type { HttpClient } from '../http/client.ts';
import { oneLine } from '../http/redact.ts';
import type { HttpRequest } from '../http/request.ts';
import type { HttpResponse } from '../http/response.ts';
import { type RetryOptions, retrying } from '../http/retry.ts';
import { answerError } from './answer-error.ts';
import { type Access, Authorizer, type AuthorizerOptions } from './auth.ts';

interface SessionRequest extends HttpRequest {
  readonly access: Access;
}

/** Talks to one registry as it wants to be talked to. */
export interface Session {
  /** The registry's name in references. */
  readonly host: string;
  readonly endpoint: URL;
  /**
   * Sends a request to a path of the registry or to an address that it named. A 401 is answered with a token (or a
   * new one) and the same request again, body included. Only the registry's own address ever gets an Authorization.
   */
  request(target: string | URL, request: SessionRequest): Promise<HttpResponse>;
  /** The error that an unwelcome answer amounts to; its body is used up. */
  refusal(response: HttpResponse, doing: string): Promise<BuildError>;
  retrying<T>(attempt: (number: number) => Promise<T>, signal: AbortSignal | undefined): Promise<T>;
}

interface Options extends AuthorizerOptions {
  /** Told what the registry warns of, once each, and before each further try. */
  readonly say?: Say;
}

/** Takes a clause for the person, a warning unless it says otherwise; never throws. */
export type Say = (text: string, level?: 'info' | 'warning') => void;

export function createSession(options: Options): Session {
  const { client, endpoint, host, retries, retryDelayMs: delayMs, say } = options;
  const authorizer = new Authorizer(options);
  const onRetry: RetryOptions['onRetry'] = ({ message }, _, pauseMs) =>
    say?.(`${message}: trying again in ${Math.ceil(pauseMs / 1000)} s`, 'info');
  const retry: RetryOptions = { retries, delayMs, onRetry };
  const warned = new Set<string>();
  return {
    host,
    endpoint,
    request: async (target, asked) => {
      const url = new URL(target, endpoint);
      const request = { ...asked, alsoTrust: host };
      if (url.origin !== endpoint.origin) return client.request(url, request);
      const response = await authorized(client, authorizer, url, request);
      for (const text of warningsOf(response)) {
        if (!warned.has(text)) say?.(`${host} warns: ${authorizer.conceal(text)}`);
        warned.add(text);
      }
      const isElsewhere = response.status === 401 && response.url.origin !== endpoint.origin;
      return isElsewhere ? anonymously(response, request, options) : response;
    },
    refusal: (response, doing) =>
      answerError(response, { doing, conceal: (text) => authorizer.conceal(text) }),
    retrying: (attempt, signal) => retrying(attempt, { ...retry, signal }),
  };
}

/** The repository's requests that only read, and those that also write. */
export function accessTo(repository: string, actions: 'pull' | 'pull,push'): Access {
  return { repository, scopes: [`repository:${repository}:${actions}`] };
}

/** `Warning: 299 - "text"` is for people and changes nothing (distribution-spec, Warnings); other codes are caches'. */
function warningsOf(response: HttpResponse): string[] {
  const found = (response.header('warning') ?? '').matchAll(/(?:^|,)\s*299 \S+ "((?:[^"\\]|\\.)*)"/g);
  return [...found].map(([, text]) => oneLine(text!.replace(/\\(.)/g, '$1')));
}

async function authorized(
  client: HttpClient,
  authorizer: Authorizer,
  url: URL,
  request: SessionRequest,
): Promise<HttpResponse> {
  let used = await authorizer.header(request.access, request.signal);
  for (let attempt = 0; ; attempt++) {
    const headers = { ...request.headers, ...(used !== undefined && { authorization: used }) };
    const response = await client.request(url, { ...request, headers });
    const challenge = response.header('www-authenticate');
    if (response.status !== 401 || response.url.origin !== url.origin || challenge === undefined)
      return response;
    try {
      const learnt = authorizer.learn(challenge, request.access, used);
      if (attempt === 3 || (attempt > 0 && !learnt)) return response;
      const next = await authorizer.header(request.access, request.signal);
      if (next === used) return response;
      used = next;
    } catch (error) {
      await response.discard();
      throw error;
    }
    await response.discard();
  }
}

/** A redirect led to another server that wants a token of its own: it gets an anonymous one (registry.md §3.2). */
async function anonymously(
  response: HttpResponse,
  request: SessionRequest,
  options: AuthorizerOptions,
): Promise<HttpResponse> {
  const { url } = response;
  const nobody = { find: async () => undefined };
  const authorizer = new Authorizer({ ...options, endpoint: url, host: url.host, credentials: nobody });
  await response.discard();
  const { authorization: _, ...headers } = request.headers ?? {};
  return authorized(options.client, authorizer, url, { ...request, headers });
}
