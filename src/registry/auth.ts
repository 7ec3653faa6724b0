import { BuildError } from '../core/errors.ts';
import { isLoopback, isPrivateAddress } from '../http/address.ts';
import type { HttpClient } from '../http/client.ts';
import { redact } from '../http/redact.ts';
import { parseChallenges } from './challenge.ts';
import type { Credentials, Secret } from './credentials.ts';
import { fetchToken, type Token, type TokenRequest, type TokenServer } from './token.ts';

/** What a request needs to be allowed. */
export interface Access {
  /** Whose secret counts, where secrets are filed by path. */
  readonly repository?: string;
  /** As token servers understand them: `repository:a/b:pull,push`. */
  readonly scopes: readonly string[];
}

export interface AuthorizerOptions {
  readonly client: HttpClient;
  /** Where the registry answers; secrets go there and to the token server that it names. */
  readonly endpoint: URL;
  /** The registry's name in references. */
  readonly host: string;
  readonly credentials: Pick<Credentials, 'find'>;
  readonly tlsVerify: boolean;
  readonly retries: number;
  readonly retryDelayMs: number;
}

/** Knows how one registry wants to be asked, and keeps its tokens by scope set. */
export interface Authorizer {
  /** The Authorization header; undefined as long as the registry has not asked for one, or there is no secret. */
  header(access: Access, signal?: AbortSignal): Promise<string | undefined>;
  /**
   * Learns from a 401 that answered a request sent with `used`: the scheme, the token server, further scopes. The
   * token that was used is forgotten. True when something new was learnt.
   */
  learn(challenge: string, access: Access, used: string | undefined): boolean;
  /** Takes every secret known here out of a text. */
  conceal(text: string): string;
}

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const tokens = new Map<string, Held>();
  const secrets = new Map<string, Promise<Secret | undefined>>();
  const wanted = new Map<string, readonly string[]>();
  const shown = new Set<string>();
  let scheme: 'none' | 'basic' | 'bearer' = 'none';
  let server: TokenServer | undefined;

  const secretFor = ({ repository = '' }: Access): Promise<Secret | undefined> => {
    const known = secrets.get(repository) ?? options.credentials.find(options.host, repository || undefined);
    secrets.set(repository, known);
    return known;
  };

  const tokenFor = async (
    access: Access,
    secret: TokenRequest['secret'],
    signal?: AbortSignal,
  ): Promise<Token> => {
    const key = keyOf(access);
    const held = tokens.get(key);
    const usable =
      held !== undefined && performance.now() < held.renewAt ? held : renew(key, access, secret, signal);
    try {
      return await usable.token;
    } catch (error) {
      // Whoever began to fetch the token gave up; we did not.
      const isOthers = error instanceof BuildError && error.code === 'interrupted' && !signal?.aborted;
      if (isOthers && usable === held) return tokenFor(access, secret, signal);
      throw error;
    }
  };

  const renew = (key: string, access: Access, secret: TokenRequest['secret'], signal?: AbortSignal): Held => {
    const scopes = [...(wanted.get(key) ?? []), ...access.scopes];
    const token = fetchToken(server!, { ...options, secret, scopes, signal, conceal });
    const fresh: Held = { token, renewAt: Number.POSITIVE_INFINITY, value: undefined };
    tokens.set(key, fresh);
    token.then(
      (got) => Object.assign(fresh, { renewAt: got.renewAt, value: got.value }),
      () => tokens.get(key) === fresh && tokens.delete(key),
    );
    return fresh;
  };

  const header = async (access: Access, signal?: AbortSignal): Promise<string | undefined> => {
    if (scheme === 'none') return undefined;
    const secret = await secretFor(access);
    for (const text of secret === undefined ? [] : textsOf(secret)) shown.add(text);
    if (secret?.type === 'access') return `Bearer ${secret.token}`;
    if (scheme === 'basic') return secret === undefined ? undefined : `Basic ${pairOf(secret)}`;
    const token = await tokenFor(access, secret, signal);
    shown.add(token.value);
    return `Bearer ${token.value}`;
  };

  const learn = (challenge: string, access: Access, used: string | undefined): boolean => {
    const offered = parseChallenges(challenge);
    const bearer = offered.find((one) => one.scheme === 'bearer' && one.parameters.has('realm'));
    if (bearer === undefined) {
      const isNew = scheme !== 'basic' && offered.some((one) => one.scheme === 'basic');
      if (isNew) scheme = 'basic';
      return isNew;
    }
    const key = keyOf(access);
    if (used === `Bearer ${tokens.get(key)?.value}`) tokens.delete(key);
    const isNew = scheme !== 'bearer';
    scheme = 'bearer';
    server = tokenServer(bearer.parameters, options);
    const missing = missingScopes(bearer.parameters.get('scope') ?? '', [
      ...access.scopes,
      ...(wanted.get(key) ?? []),
    ]);
    if (missing.length > 0) wanted.set(key, [...missing, ...(wanted.get(key) ?? [])]);
    return isNew || missing.length > 0;
  };

  const conceal = (text: string): string => {
    let concealed = text;
    for (const secret of shown) if (secret.length > 3) concealed = concealed.replaceAll(secret, '***');
    return concealed;
  };
  return { header, learn, conceal };
}

/** A token that is on its way or at hand. */
interface Held {
  readonly token: Promise<Token>;
  renewAt: number;
  value: string | undefined;
}

function keyOf(access: Access): string {
  return JSON.stringify([access.repository ?? '', [...access.scopes].sort()]);
}

/** Scopes of a challenge that what we ask for does not cover. */
function missingScopes(scope: string, asked: readonly string[]): string[] {
  return scope.split(' ').filter((one) => one !== '' && !asked.some((other) => covers(other, one)));
}

function covers(asked: string, scope: string): boolean {
  if (asked === scope) return true;
  const [name, actions] = splitScope(asked);
  const [otherName, otherActions] = splitScope(scope);
  return (
    name === otherName && otherActions.every((action) => actions.includes(action) || actions.includes('*'))
  );
}

function splitScope(scope: string): [string, string[]] {
  const colon = scope.lastIndexOf(':');
  return [scope.slice(0, colon), scope.slice(colon + 1).split(',')];
}

/** The token server that a challenge names, if it is one that secrets may be sent to. */
function tokenServer(parameters: ReadonlyMap<string, string>, options: AuthorizerOptions): TokenServer {
  const { endpoint, host, tlsVerify } = options;
  const text = parameters.get('realm') ?? '';
  const realm = URL.canParse(text) ? new URL(text) : undefined;
  if (realm?.protocol !== 'https:' && realm?.protocol !== 'http:')
    throw unusable(host, 'not an http address');
  realm.username = '';
  realm.password = '';
  if (tlsVerify) {
    const mayBePlain = endpoint.protocol === 'http:' && isLoopback(endpoint.hostname);
    if (realm.protocol === 'http:' && !mayBePlain)
      throw unusable(host, `${redact(realm)}, which is not encrypted`);
    const leadsInside = isPrivateAddress(realm.hostname) && realm.hostname !== endpoint.hostname;
    if (leadsInside && !isPrivateAddress(endpoint.hostname)) {
      throw unusable(host, `${redact(realm)}, an address of the private network`);
    }
  }
  const service = parameters.get('service');
  return { realm, ...(service !== undefined && { service }) };
}

function unusable(host: string, what: string): BuildError {
  return new BuildError('denied', `The registry ${host} names a token server that is not used: ${what}.`, {
    hint: 'Correct the registry, or use --tls-verify=false where that is meant.',
  });
}

function pairOf(secret: Exclude<Secret, { type: 'access' }>): string {
  const password = secret.type === 'password' ? secret.password : secret.token;
  return Buffer.from(`${secret.username}:${password}`).toString('base64');
}

function textsOf(secret: Secret): string[] {
  if (secret.type === 'access') return [secret.token];
  return [pairOf(secret), secret.type === 'password' ? secret.password : secret.token];
}
