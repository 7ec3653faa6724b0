import { createHash, createPublicKey, createSign, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface TokenServerOptions {
  /** PEM files of the key that signs tokens and its certificate, which the registry trusts. */
  readonly key: string;
  readonly cert: string;
  readonly service: string;
  readonly issuer: string;
  /** Lifetime of a token. */
  readonly seconds: number;
  /** Without this user and password only `pull` is granted. */
  readonly user: string;
  readonly password: string;
  /** Accepted by POST as a refresh token. */
  readonly refreshToken?: string;
  /** Speak TLS with the same certificate, and be known by this name. */
  readonly tlsName?: string;
}

export interface TokenServer {
  readonly realm: string;
  /** The scopes of every token that was asked for. */
  readonly asked: string[][];
  /** Authorization headers that arrived. */
  readonly authorizations: (string | undefined)[];
  stop(): Promise<void>;
}

/** A token server as registries know it (distribution, token authentication), on loopback. */
export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const asked: string[][] = [];
  const authorizations: (string | undefined)[] = [];
  const listener: RequestListener = async (request, response) => {
    const { scopes, knows } = await understand(request, options);
    asked.push(scopes);
    authorizations.push(request.headers.authorization);
    if (knows === 'wrong') {
      response.writeHead(401, { 'content-type': 'text/html' }).end('<html>no</html>');
      return;
    }
    const token = signToken(
      scopes.map((scope) => grant(scope, knows === 'known')),
      options,
    );
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token, expires_in: options.seconds }));
  };
  const { tlsName } = options;
  const server = tlsName === undefined ? createServer(listener) : createTlsServer(pemOf(options), listener);
  await listen(server);
  const { port } = server.address() as AddressInfo;
  const origin = tlsName === undefined ? `http://127.0.0.1:${port}` : `https://${tlsName}:${port}`;
  return { realm: `${origin}/token`, asked, authorizations, stop: () => close(server) };
}

function pemOf({ key, cert }: TokenServerOptions): { readonly key: Buffer; readonly cert: Buffer } {
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

/** Listens on a free loopback port. */
function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

type Knows = 'nobody' | 'known' | 'wrong';

async function understand(
  request: IncomingMessage,
  options: TokenServerOptions,
): Promise<{ scopes: string[]; knows: Knows }> {
  if (request.method === 'POST') {
    const form = new URLSearchParams(await bodyOf(request));
    const scopes = (form.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
    return { scopes, knows: form.get('refresh_token') === options.refreshToken ? 'known' : 'wrong' };
  }
  const scopes = new URL(request.url ?? '', 'http://x').searchParams.getAll('scope');
  const { authorization } = request.headers;
  if (authorization === undefined) return { scopes, knows: 'nobody' };
  const expected = `Basic ${Buffer.from(`${options.user}:${options.password}`).toString('base64')}`;
  return { scopes, knows: authorization === expected ? 'known' : 'wrong' };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function grant(scope: string, isKnown: boolean): { type: string; name: string; actions: string[] } {
  const [type = '', name = '', actions = ''] = scope.split(':');
  return { type, name, actions: actions.split(',').filter((action) => isKnown || action === 'pull') };
}

/** A JSON web token; the key is named as libtrust does: twelve groups of base32 of the key's SHA-256. */
function signToken(access: readonly object[], options: TokenServerOptions): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: options.issuer,
    sub: options.user,
    aud: options.service,
    exp: now + options.seconds,
    nbf: now - 1,
    iat: now,
    jti: randomUUID(),
    access,
  };
  const key = readFileSync(options.key, 'utf8');
  const head = { typ: 'JWT', alg: 'ES256', kid: keyId(readFileSync(options.cert, 'utf8')) };
  const text = [head, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = createSign('SHA256').update(text).sign({ key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

function keyId(certificate: string): string {
  const der = createPublicKey(certificate).export({ type: 'spki', format: 'der' });
  const bits = createHash('sha256').update(der).digest().subarray(0, 30);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let binary = '';
  for (const byte of bits) binary += byte.toString(2).padStart(8, '0');
  const letters = (binary.match(/.{5}/g) ?? []).map((five) => alphabet[Number.parseInt(five, 2)]).join('');
  return (letters.match(/.{4}/g) ?? []).join(':');
}
