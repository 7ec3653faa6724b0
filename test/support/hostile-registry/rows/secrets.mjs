// Who is let in, and where a client must not be led with what it knows.

export const basic = { scheme: 'basic', user: 'ann', password: 'p:w"s3cret' };
export const bearer = { ...basic, scheme: 'bearer', refreshToken: 'refresh-s3cret' };

export const secrets = [
  ['basic', 'a user and password', basic],
  ['basic-wrong', 'the password is another', { ...basic, password: 'other' }],
  ['bearer', 'a token server', bearer],
  ['bearer-wrong', 'the token server knows another password', { ...bearer, password: 'other' }],
  ['bearer-six-requests', 'every token is good for six requests', { ...bearer, uses: 6 }],
  ['bearer-5-s', 'tokens live five seconds', { ...bearer, expiresIn: 5 }],
  ['bearer-no-expiry', 'the token comes without expires_in', { ...bearer, expiresIn: 'none' }],
  ['bearer-expired', 'tokens have ended when they arrive', { ...bearer, expiresIn: -1 }],
  ['bearer-access-token', 'the token is called access_token', { ...bearer, field: 'access_token' }],
  ['bearer-nameless', 'the token server answers without a token', { ...bearer, field: 'other' }],
  ['bearer-pull-only', 'the token grants pull, whatever was asked for', { ...bearer, grant: 'pull' }],
  ['bearer-first-scope', 'the token server reads the first scope only', { ...bearer, firstScopeOnly: true }],
  ['bearer-no-scope', 'the challenge names no scope', { ...bearer, challengeScope: false }],
  [
    'bearer-among-others',
    'Negotiate and Basic are offered too',
    { ...bearer, challenges: ['Negotiate', 'Basic realm="a,b"'] },
  ],
  ['bearer-realm-nonsense', 'the token server has no address', { ...bearer, realm: 'nowhere' }],
  ['bearer-realm-file', 'the token server is a file', { ...bearer, realm: 'file:///etc/passwd' }],
  ...[400, 401, 404, 405].map((status) => [
    `identity-post-${status}`,
    `an identity token, and the token server answers POST with ${status}`,
    { ...bearer, post: status, identity: true },
  ]),
  ['identity', 'an identity token', { ...bearer, identity: true }],
].map(([name, about, { identity, ...auth }]) => ({ name, about, auth, ...(identity && { identity }) }));

/** These need a name that looks public: the client must not be led from there to this machine or a private network. */
export const inside = [
  [
    'inside-location',
    'the Location is an address of the private network',
    { quirks: { location: 'https://10.1.2.3/upload' } },
  ],
  [
    'inside-location-loopback',
    'the Location is this machine',
    { quirks: { location: 'https://127.0.0.1/upload' } },
  ],
  [
    'inside-redirect',
    'a blob leads to the address where clouds keep secrets',
    { quirks: { redirect: { to: 'https://169.254.169.254/latest' } } },
  ],
  [
    'inside-redirect-loopback',
    'a blob leads to this machine',
    { quirks: { redirect: { to: 'https://127.0.0.1/secret' } } },
  ],
  [
    'inside-redirect-plain',
    'a blob leads from https to http',
    { quirks: { redirect: { to: 'http://store.example.com/blob' } } },
  ],
  [
    'inside-realm',
    'the token server is an address of the private network',
    { auth: { ...bearer, realm: 'https://10.1.2.3/token' } },
  ],
  [
    'inside-realm-plain',
    'the token server is reached without TLS',
    { auth: { ...bearer, realm: 'http://tokens.example.com/token' } },
  ],
].map(([name, about, switches]) => ({ name, about, ...switches, tls: true }));
