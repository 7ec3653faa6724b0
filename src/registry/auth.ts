import { BuildError } from '../core/errors.ts';
import { isLoopback, isPrivateAddress } from '../http/address.ts';
import type { HttpClient } from '../http/client.ts';
import { redact } from '../http/redact.ts';
import { parseChallenges } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import type { Secret } from './secret.ts';
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
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens = new Map<string, Held>();
  readonly #secrets = new Map<string, Promise<Secret | undefined>>();
  /** Scopes that the registry asked for beyond ours, by scope set. */
  readonly #wanted = new Map<string, readonly string[]>();
  /** Every secret that was used so far. */
  readonly #used = new Set<string>();
  #scheme: 'none' | 'basic' | 'bearer' = 'none';
  #server: TokenServer | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** The Authorization header; undefined as long as the registry has not asked for one, or there is no secret. */
  async header(access: Access, signal?: AbortSignal): Promise<string | undefined> {
    if (this.#scheme === 'none') return undefined;
    const secret = await this.#secretFor(access);
    for (const text of secret === undefined ? [] : textsOf(secret)) this.#used.add(text);
    if (secret?.type === 'access') return `Bearer ${secret.token}`;
    if (this.#scheme === 'basic') return secret === undefined ? undefined : `Basic ${pairOf(secret)}`;
    const token = await this.#tokenFor(access, secret, signal);
    this.#used.add(token.value);
    return `Bearer ${token.value}`;
  }

  /**
   * Learns from a 401 that answered a request sent with `used`: the scheme, the token server, further scopes. The
   * token that was used is forgotten. True when something new was learnt.
   */
  learn(challenge: string, access: Access, used: string | undefined): boolean {
    const offered = parseChallenges(challenge);
    const bearer = offered.find((one) => one.scheme === 'bearer' && one.parameters.has('realm'));
    const before = this.#scheme;
    if (bearer === undefined) {
      if (offered.some((one) => one.scheme === 'basic')) this.#scheme = 'basic';
      return this.#scheme !== before;
    }
    this.#server = tokenServer(bearer.parameters, this.#options);
    this.#scheme = 'bearer';
    const key = keyOf(access);
    if (used === `Bearer ${this.#tokens.get(key)?.value}`) this.#tokens.delete(key);
    const wanted = this.#wanted.get(key) ?? [];
    const missing = missingScopes(bearer.parameters.get('scope') ?? '', [...access.scopes, ...wanted]);
    this.#wanted.set(key, [...missing, ...wanted]);
    return before !== 'bearer' || missing.length > 0;
  }

  /** Takes every secret that was used out of a text. */
  conceal(text: string): string {
    let concealed = text;
    for (const secret of this.#used) if (secret.length > 3) concealed = concealed.replaceAll(secret, '***');
    return concealed;
  }

  #secretFor({ repository = '' }: Access): Promise<Secret | undefined> {
    const { credentials, host } = this.#options;
    const known = this.#secrets.get(repository) ?? credentials.find(host, repository || undefined);
    this.#secrets.set(repository, known);
    return known;
  }

  async #tokenFor(access: Access, secret: TokenRequest['secret'], signal?: AbortSignal): Promise<Token> {
    const key = keyOf(access);
    const held = this.#tokens.get(key);
    const isUsable = held !== undefined && performance.now() < held.renewAt;
    try {
      return await (isUsable ? held : this.#renew(key, access, secret, signal)).token;
    } catch (error) {
      // Whoever began to fetch the token gave up; we did not.
      const isOthers = error instanceof BuildError && error.code === 'interrupted' && !signal?.aborted;
      if (isOthers && isUsable) return this.#tokenFor(access, secret, signal);
      throw error;
    }
  }

  #renew(key: string, access: Access, secret: TokenRequest['secret'], signal?: AbortSignal): Held {
    const scopes = [...(this.#wanted.get(key) ?? []), ...access.scopes];
    const conceal = (text: string): string => this.conceal(text);
    const token = fetchToken(this.#server!, { ...this.#options, secret, scopes, signal, conceal });
    const fresh: Held = { token, renewAt: Number.POSITIVE_INFINITY, value: undefined };
    this.#tokens.set(key, fresh);
    token.then(
      (got) => Object.assign(fresh, { renewAt: got.renewAt, value: got.value }),
      () => this.#tokens.get(key) === fresh && this.#tokens.delete(key),
    );
    return fresh;
  }
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
  return new BuildError('denied', `the registry ${host} names a token server that is not used: ${what}`, {
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
