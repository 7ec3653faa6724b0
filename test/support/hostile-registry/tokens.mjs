// Who may do what: Basic, or Bearer with a token server of its own kind (spec: distribution, token authentication).
import { randomBytes } from 'node:crypto';
import { refuse } from './answers.mjs';

/**
 * The door of a registry. `auth` is data:
 * `scheme` (`basic`, `bearer`; none where absent), `user`, `password`, `refreshToken`; `anonymousPull`; `challenges` (further
 * WWW-Authenticate headers, sent first); `realm` (in place of the token server's own); `post` (the status that POST gets);
 * `field` (`access_token`); `expiresIn` (seconds; `none` leaves it out); `grant` (`pull` for whatever was asked);
 * `uses` (requests that a token is good for); `firstScopeOnly`; `challengeScope: false`.
 */
export class Door {
  #auth;
  #tokens = new Map();
  /** Scopes of every token that was asked for. */
  asked = [];

  constructor(auth) {
    this.#auth = auth;
  }

  /** A 401 for a request that may not pass, or undefined. */
  refusal(call, hosts) {
    const { scheme } = this.#auth;
    if (scheme === undefined) return undefined;
    const needed = needs(call);
    const { authorization = '' } = call.headers;
    const isAllowed =
      scheme === 'basic' ? authorization === this.#basic() : this.#allows(authorization, needed);
    return isAllowed ? undefined : this.challenge(call, hosts);
  }

  /** The 401 that says how to be let in. */
  challenge(call, hosts) {
    const answer = refuse(401, 'UNAUTHORIZED', 'authentication required');
    const challenges = this.#challenges(needs(call), hosts);
    return { ...answer, headers: { ...answer.headers, 'www-authenticate': challenges } };
  }

  /** The token server: GET with Basic, POST with a refresh token. */
  async token(call) {
    const { post, field = 'token', expiresIn = 300, uses, firstScopeOnly } = this.#auth;
    const isPost = call.method === 'POST';
    const form = isPost ? new URLSearchParams((await call.body.bytes()).toString()) : call.url.searchParams;
    const asked = isPost ? (form.get('scope') ?? '').split(' ') : form.getAll('scope');
    this.asked.push(asked);
    if (isPost && post !== undefined) return refuse(post, 'UNSUPPORTED', 'ask by GET');
    const knows = this.#knows(call, isPost ? form.get('refresh_token') : null);
    if (knows === 'wrong') return refuse(401, 'UNAUTHORIZED', 'wrong user or password');
    const granted = (firstScopeOnly ? asked.slice(0, 1) : asked).flatMap((scope) =>
      this.#grant(scope, knows),
    );
    const value = randomBytes(18).toString('base64url');
    const until = expiresIn === 'none' ? 60 : expiresIn;
    this.#tokens.set(value, {
      granted,
      until: Date.now() + until * 1000,
      uses: uses ?? Number.POSITIVE_INFINITY,
    });
    const body = JSON.stringify({ [field]: value, ...(expiresIn !== 'none' && { expires_in: expiresIn }) });
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }

  #basic() {
    return `Basic ${Buffer.from(`${this.#auth.user}:${this.#auth.password}`).toString('base64')}`;
  }

  #knows({ headers }, refreshToken) {
    const { refreshToken: right } = this.#auth;
    if (refreshToken !== null) return refreshToken === right ? 'known' : 'wrong';
    if (headers.authorization === undefined) return 'nobody';
    const user = Buffer.from(`${this.#auth.user}:${right}`).toString('base64');
    return [this.#basic(), `Basic ${user}`].includes(headers.authorization) ? 'known' : 'wrong';
  }

  #grant(scope, knows) {
    const { anonymousPull, grant } = this.#auth;
    const colon = scope.lastIndexOf(':');
    const actions = scope.slice(colon + 1).split(',');
    const mayRead = knows === 'known' || anonymousPull;
    const mayWrite = knows === 'known' && grant !== 'pull';
    const allowed = actions.filter((action) => (action === 'pull' ? mayRead : mayWrite));
    return allowed.map((action) => `${scope.slice(0, colon)}:${action}`);
  }

  #allows(authorization, needed) {
    const token = this.#tokens.get(authorization.replace(/^Bearer /, ''));
    if (token === undefined || token.until < Date.now() || token.uses <= 0) return false;
    token.uses -= 1;
    return needed.every((scope) => token.granted.includes(scope));
  }

  #challenges(needed, hosts) {
    const { scheme, challenges = [], realm, challengeScope } = this.#auth;
    if (scheme === 'basic') return [...challenges, 'Basic realm="hostile"'];
    const name = (realm ?? `${hosts.tokens.origin}/token`).replace('HOST', hosts.tokens.host);
    const scope = challengeScope === false ? '' : `,scope="${together(needed)}"`;
    return [...challenges, `Bearer realm="${name}",service="hostile"${scope}`];
  }
}

/** `repository:a:pull` and so on, one action each. */
function needs({ op, repository, url }) {
  if (op === 'ping') return [];
  const own = (action) => `repository:${repository}:${action}`;
  const isReading = /^(blob|manifest)-(get|head)$|^(tags|referrers)$/.test(op);
  if (isReading) return [own('pull')];
  const from = op === 'upload-mount' ? url.searchParams.get('from') : null;
  return [own('pull'), own('push'), ...(from === null ? [] : [`repository:${from}:pull`])];
}

/** As registries write them: the actions of one repository together, repositories apart. */
function together(scopes) {
  const actions = new Map();
  for (const scope of scopes) {
    const colon = scope.lastIndexOf(':');
    const name = scope.slice(0, colon);
    actions.set(name, [...(actions.get(name) ?? []), scope.slice(colon + 1)]);
  }
  return [...actions].map(([name, some]) => `${name}:${some.join(',')}`).join(' ');
}
