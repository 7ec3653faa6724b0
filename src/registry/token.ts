import { BuildError } from '../core/errors.ts';
import type { HttpClient } from '../http/client.ts';
import { redact } from '../http/redact.ts';
import type { HttpRequest } from '../http/request.ts';
import type { HttpResponse } from '../http/response.ts';
import { retrying } from '../http/retry.ts';
import { answerError } from './answer-error.ts';
import type { Secret } from './secret.ts';

export interface TokenServer {
  readonly realm: URL;
  readonly service?: string;
}

export interface Token {
  readonly value: string;
  /** On the clock of `performance.now()`: a little before the token ends. */
  readonly renewAt: number;
}

export interface TokenRequest {
  readonly client: HttpClient;
  /** The registry's name, for messages and its certificates. */
  readonly host: string;
  readonly secret: Exclude<Secret, { type: 'access' }> | undefined;
  readonly scopes: readonly string[];
  readonly retries: number;
  readonly retryDelayMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Takes secrets out of what the server said. */
  readonly conceal: (text: string) => string;
}

/**
 * Gets an access token: anonymously, with user and password by GET, or with an identity token by POST, which some
 * servers do not know and get a GET instead (spec: registry.md §3.2). The server may grant less than was asked.
 */
export function fetchToken(server: TokenServer, request: TokenRequest): Promise<Token> {
  const { retries, retryDelayMs: delayMs, signal } = request;
  return retrying(
    async () => {
      const response = await ask(server, request);
      if (response.status !== 200) throw await refusal(response, request);
      return readToken(response);
    },
    { retries, delayMs, signal },
  );
}

async function ask(server: TokenServer, request: TokenRequest): Promise<HttpResponse> {
  if (request.secret?.type === 'identity') {
    const response = await byPost(server, request, request.secret.token);
    if (![400, 401, 404, 405].includes(response.status)) return response;
    await response.discard();
  }
  return byGet(server, request);
}

function byPost(server: TokenServer, request: TokenRequest, refreshToken: string): Promise<HttpResponse> {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'tsbuild' });
  if (server.service !== undefined) form.set('service', server.service);
  if (request.scopes.length > 0) form.set('scope', request.scopes.join(' '));
  form.set('refresh_token', refreshToken);
  // A redirect would carry the secret in the body to another place.
  return request.client.request(server.realm, {
    ...common(request),
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
    maxRedirects: 0,
  });
}

function byGet(server: TokenServer, request: TokenRequest): Promise<HttpResponse> {
  const url = new URL(server.realm);
  if (server.service !== undefined) url.searchParams.set('service', server.service);
  for (const scope of request.scopes) url.searchParams.append('scope', scope);
  const { secret } = request;
  if (secret === undefined) return request.client.request(url, common(request));
  const pair =
    secret.type === 'password' ? [secret.username, secret.password] : [secret.username, secret.token];
  const authorization = `Basic ${Buffer.from(pair.join(':')).toString('base64')}`;
  return request.client.request(url, { ...common(request), headers: { authorization } });
}

function common(request: TokenRequest): HttpRequest {
  return { alsoTrust: request.host, signal: request.signal };
}

async function readToken(response: HttpResponse): Promise<Token> {
  const receivedAt = performance.now();
  const answer = parse(await response.text(1 << 20));
  const value = [answer.token, answer.access_token].find((one) => typeof one === 'string' && one !== '');
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new BuildError('registry', `the token server ${redact(response.url)} answered without a token`);
  }
  const seconds = typeof answer.expires_in === 'number' && answer.expires_in > 0 ? answer.expires_in : 60;
  const marginSeconds = Math.min(10, seconds / 5);
  return { value, renewAt: receivedAt + (seconds - marginSeconds) * 1000 };
}

function parse(text: string): { token?: unknown; access_token?: unknown; expires_in?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

async function refusal(response: HttpResponse, request: TokenRequest): Promise<BuildError> {
  const { status } = response;
  if (status !== 401 && status !== 403)
    return answerError(response, { doing: `getting a token for ${request.host}`, conceal: request.conceal });
  await response.discard();
  const message =
    request.secret === undefined
      ? `the registry ${request.host} gives no access without a login`
      : `the registry ${request.host} does not accept the login of ${request.secret.username || 'this user'}`;
  return new BuildError('denied', message, { hint: `Log in with \`tsbuild login ${request.host}\`.` });
}
