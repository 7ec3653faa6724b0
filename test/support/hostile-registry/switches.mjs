// Every quirk and fault by name: what starts the registry is data. A row is `{ name, about, ...switches }`.
// `large`, `slow`, `identity` and `tls` say what it takes to see something (switches.d.mts); the rest is what registry.mjs takes.

const html = { 'content-type': 'text/html' };
const page = '<!doctype html><html><body><h1>Something went wrong</h1></body></html>';
const basic = { scheme: 'basic', user: 'ann', password: 'p:w"s3cret' };
const bearer = { ...basic, scheme: 'bearer', refreshToken: 'refresh-s3cret' };
const uploads = ['upload-start', 'upload-mount', 'upload-patch', 'upload-put', 'upload-status'];
const reads = ['blob-head', 'blob-get', 'manifest-head', 'manifest-get'];

const locations = [
  ['location-relative', 'the Location is relative to the request', { location: 'relative' }],
  ['location-absolute', 'the Location is absolute', { location: 'absolute' }],
  ['location-host-only', 'the Location is host and path, without a scheme', { location: 'host' }],
  ['location-query', 'the Location carries a query that must come back to the letter', { location: 'query' }],
  [
    'location-other-host',
    'the Location leads to another host, which must see no Authorization',
    { location: 'other-host' },
    basic,
  ],
  ['location-missing', 'an upload is opened without a Location', { location: 'missing' }],
  ['location-nonsense', 'the Location is no address', { location: 'http://[' }],
  ['location-not-http', 'the Location is a file', { location: 'file:///etc/passwd' }],
  [
    'location-new-each-time',
    'each PATCH names a new Location; the old one is gone',
    { newLocations: true, put: 405 },
  ],
].map(([name, about, quirks, auth]) => ({
  name,
  about,
  quirks,
  ...(quirks.put && { large: true }),
  ...(auth && { auth }),
}));

const pieces = [
  ['put-413', 'a blob in one PUT is refused: 413', { put: 413 }],
  ['put-413-early', 'a proxy refuses a blob in one PUT before it read it', { put: 413, early: true }],
  ['put-405', 'a blob in one PUT is refused: 405', { put: 405 }],
  ['put-limit', 'blobs above 64 KiB are refused in one PUT', { maxPutBytes: 64 << 10 }],
  ['patch-201', 'PATCH answers 201', { put: 413, patchStatus: 201 }],
  ['patch-204', 'PATCH answers 204', { put: 413, patchStatus: 204 }],
  ['patch-refused', 'PATCH is refused: 405', { patch: 405 }],
  ['patch-and-put-refused', 'neither one PUT nor PATCH is taken', { put: 413, patch: 405 }],
  [
    'patch-201-put-refused',
    'PATCH answers 201 and the closing PUT is refused',
    { patchStatus: 201, closingPut: 400 },
  ],
  ['patch-above-4-mib', 'no single PUT, and PATCH above 4 MiB is 416', { put: 413, maxPatchBytes: 4 << 20 }],
  [
    'patch-part',
    'of each PATCH only the first 2 500 000 bytes are kept, as its Range says',
    { put: 413, keepsPart: 2_500_000 },
  ],
  ['patch-no-range', 'the answer to PATCH has no Range', { put: 413, rangeAfterPatch: 'none' }],
  ['patch-min-length', 'OCI-Chunk-Min-Length is 8.5 MiB', { put: 413, minChunkBytes: 17 << 19 }],
  ['put-200', 'the last PUT answers 200', { createdStatus: 200 }],
  ['put-204', 'the last PUT answers 204', { createdStatus: 204 }],
  ['one-post-refused', 'a POST with all bytes opens a session instead', { onePost: false }],
  [
    'put-other-digest',
    'the registry says it stored a blob of another digest',
    { uploadDigest: `sha256:${'0'.repeat(64)}` },
  ],
  ['put-sha512-digest', 'it says so in another algorithm', { uploadDigest: `sha512:${'0'.repeat(128)}` }],
].map(([name, about, quirks]) => ({ name, about, quirks, ...('put' in quirks && { large: true }) }));

const mounts = [
  ['mount-202', 'a mount opens a session instead', { mount: 'session' }],
  ...[401, 403, 404, 405, 500, 503].map((status) => [
    `mount-${status}`,
    `a mount is answered ${status}`,
    { mount: status },
  ]),
  ['mount-needs-from', 'a mount without a source is refused', { mountNeedsFrom: true }],
].map(([name, about, quirks]) => ({ name, about, quirks }));

const redirects = [
  ['redirect-get', 'GET of a blob leads to another host', { quirks: { redirect: 'get' }, auth: basic }],
  [
    'redirect-head',
    'HEAD and GET of a blob lead to another host',
    { quirks: { redirect: 'all' }, auth: basic },
  ],
  [
    'redirect-refuses-authorization',
    'the other host answers an Authorization with 400',
    { quirks: { redirect: 'all' }, auth: basic, store: { refusesAuthorization: true } },
  ],
  [
    'redirect-expires',
    'the other host lets every address be used once',
    { quirks: { redirect: 'get' }, auth: basic, store: { uses: 1 } },
  ],
  [
    'redirect-in-circles',
    'a blob leads to itself',
    { quirks: { redirect: { to: 'http://HOST/v2/app/blobs/DIGEST' } } },
  ],
  ['redirect-nonsense', 'a blob leads to no address', { quirks: { redirect: { to: 'http://[' } } }],
].map(([name, about, switches]) => ({ name, about, ...switches }));

const secrets = [
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

const statuses = [408, 429, 499, 500, 502, 503, 504, 522].map((status) => ({
  name: `${status}-once`,
  about: `each kind of request is answered ${status} once`,
  faults: [...uploads, ...reads, 'manifest-put'].map((at) => ({
    at,
    status,
    headers: html,
    body: page,
  })),
}));

const broken = [
  [
    '429-seconds',
    'a 429 asks for a second',
    [
      { at: 'manifest-get', status: 429, headers: { 'retry-after': '1' } },
      { at: 'upload-start', status: 429, headers: { 'retry-after': '1' } },
    ],
  ],
  [
    '429-date',
    'a 429 names a date that has passed',
    [...reads, ...uploads].map((at) => ({
      at,
      status: 429,
      headers: { 'retry-after': 'Sun, 06 Nov 1994 08:49:37 GMT' },
    })),
  ],
  [
    '429-for-ever',
    'a 429 asks for an hour',
    [{ at: '*', times: 'always', status: 429, headers: { 'retry-after': '3600' } }],
  ],
  [
    '500-for-ever',
    'everything is answered 500 with a page',
    [{ at: '*', times: 'always', status: 500, headers: html, body: page }],
  ],
  [
    '404-pages',
    'everything is answered 404 with a page',
    [{ at: '*', times: 'always', status: 404, headers: html, body: page }],
  ],
  [
    '200-pages',
    'reading is answered with a page',
    [{ at: reads, times: 'always', status: 200, headers: html, body: page }],
  ],
  ['401-in-a-put', 'a PUT is answered 401 after its bytes', [{ at: 'upload-put', status: 401 }], bearer],
  [
    '401-before-a-put',
    'a PUT is answered 401 before its bytes',
    [{ at: 'upload-put', status: 401, early: true }],
    bearer,
  ],
  [
    '401-in-a-patch',
    'a PATCH is answered 401 after its bytes',
    [
      { at: 'upload-put', data: true, status: 413 },
      { at: 'upload-patch', status: 401 },
    ],
    bearer,
  ],
  [
    '401-basic',
    'a PUT is answered 401, though user and password are right',
    [{ at: 'upload-put', status: 401 }],
    basic,
  ],
  [
    '503-early',
    'a PUT is answered 503 before its bytes',
    [{ at: 'upload-put', data: true, status: 503, early: true, headers: { connection: 'close' } }],
  ],
  [
    'put-reset-at-1',
    'the first PUT is reset at its first byte',
    [{ at: 'upload-put', data: true, resetRequestAfter: 1 }],
  ],
  [
    'put-reset-in-the-middle',
    'two PUTs are reset after 100 000 bytes',
    [{ at: 'upload-put', times: 2, data: true, resetRequestAfter: 100_000 }],
  ],
  [
    'put-reset-always',
    'every PUT is reset after 200 000 bytes',
    [{ at: 'upload-put', times: 'always', data: true, resetRequestAfter: 200_000 }],
  ],
  ['put-answer-lost', 'the answer to the first PUT is lost', [{ at: 'upload-put', resetAfter: 0 }]],
  [
    'manifest-put-reset',
    'the first PUT of a manifest is reset',
    [{ at: 'manifest-put', resetRequestAfter: 10 }],
  ],
  [
    'manifest-answer-lost',
    'the answer to the first PUT of a manifest is lost',
    [{ at: 'manifest-put', resetAfter: 0 }],
  ],
  ['post-hang-up', 'the first two POSTs are reset', [{ at: 'upload-start', times: 2, hangUp: true }]],
  [
    'kept-alive-dropped',
    'connections end after each answer, unannounced',
    [{ at: '*', times: 'always', close: true }],
  ],
  [
    'get-reset-at-1',
    'blobs are reset after one byte, twice each',
    [{ at: 'blob-get', times: 2, resetAfter: 1 }],
  ],
  [
    'get-reset-often',
    'downloads are reset after 50 000 bytes, four times',
    [{ at: 'blob-get', times: 4, resetAfter: 50_000 }],
  ],
  [
    'get-reset-always',
    'every download is reset after 10 bytes',
    [{ at: 'blob-get', times: 'always', resetAfter: 10 }],
  ],
  ['get-truncated', 'downloads are cut, twice', [{ at: 'blob-get', times: 2, truncate: 1000 }]],
  [
    'get-corrupt-first',
    'the first byte of every blob is another',
    [{ at: 'blob-get', times: 'always', corrupt: 0 }],
  ],
  [
    'get-corrupt-last',
    'the last byte of every blob is another',
    [{ at: 'blob-get', times: 'always', corrupt: 1 << 30 }],
  ],
  ['get-endless', 'blobs have no length and no end', [{ at: 'blob-get', times: 'always', endless: true }]],
  ['get-trickle', 'blobs come a byte at a time', [{ at: 'blob-get', times: 'always', trickle: true }]],
  ['get-stall', 'every download stops in the middle', [{ at: 'blob-get', times: 'always', stallAfter: 100 }]],
  ['get-stall-once', 'the first download stops in the middle', [{ at: 'blob-get', stallAfter: 100 }]],
  ['stall', 'nothing is ever answered', [{ at: '*', times: 'always', stall: true }]],
  [
    'stall-once',
    'the first request of each kind is not answered',
    [...reads, ...uploads, 'manifest-put'].map((at) => ({ at, stall: true })),
  ],
  ['headers-trickle', 'headers never end', [{ at: '*', times: 'always', trickleHeaders: true }]],
  [
    'manifest-corrupt',
    'a byte of every manifest is another',
    [{ at: 'manifest-get', times: 'always', corrupt: 20 }],
  ],
  ['manifest-truncated', 'manifests are cut', [{ at: 'manifest-get', times: 'always', truncate: 20 }]],
  ['manifest-endless', 'manifests have no end', [{ at: 'manifest-get', times: 'always', endless: true }]],
  [
    'manifest-huge',
    'a manifest has five megabytes',
    [
      {
        at: 'manifest-get',
        times: 'always',
        status: 200,
        headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
        body: `{"schemaVersion":2${' '.repeat(5 << 20)}}`,
      },
    ],
  ],
  [
    'manifest-stall',
    'manifests stop in the middle',
    [{ at: 'manifest-get', times: 'always', stallAfter: 20 }],
  ],
  [
    'error-endless',
    'an error page has no end',
    [
      {
        at: ['manifest-get', 'upload-start'],
        times: 'always',
        status: 400,
        headers: html,
        body: page,
        endless: true,
      },
    ],
  ],
  ['token-500-twice', 'the token server answers 500 twice', [{ at: 'token', times: 2, status: 500 }], bearer],
  [
    'token-page',
    'the token server answers with a page',
    [{ at: 'token', times: 'always', status: 200, headers: html, body: page }],
    bearer,
  ],
  [
    'token-endless',
    'the answer of the token server has no end',
    [{ at: 'token', times: 'always', endless: true }],
    bearer,
  ],
  [
    'token-stall',
    'the token server does not answer',
    [{ at: 'token', times: 'always', stall: true }],
    bearer,
  ],
  [
    'token-echo',
    'the token server repeats the secret in its error',
    [
      {
        at: 'token',
        times: 'always',
        status: 400,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ errors: [{ code: 'DENIED', message: `no: ${basic.password}` }] }),
      },
    ],
    bearer,
  ],
].map(([name, about, faults, auth]) => ({ name, about, faults, ...slowness(faults), ...(auth && { auth }) }));

/** Where answers come late or never, the client's own limits of time count. */
function slowness(faults) {
  const isSlow = (fault) => ['stall', 'stallAfter', 'trickle', 'trickleHeaders'].some((key) => key in fault);
  const found = faults.filter(isSlow);
  if (found.length === 0) return {};
  return { slow: found.some(({ times }) => times === 'always') ? 'always' : 'once' };
}

const store = [
  [
    'store-stall-once',
    'the other host stops once in the middle',
    { quirks: { redirect: 'get' }, auth: basic, faults: [{ at: 'store', stallAfter: 100 }] },
  ],
  [
    'store-reset-expired',
    'the other host breaks off, and its address has ended then',
    {
      quirks: { redirect: 'get' },
      auth: basic,
      store: { uses: 1 },
      faults: [{ at: 'store', times: 2, resetAfter: 1000 }],
    },
  ],
  [
    'store-asks',
    'the other host wants a login of its own',
    {
      quirks: { redirect: 'get' },
      auth: basic,
      faults: [
        { at: 'store', times: 'always', status: 401, headers: { 'www-authenticate': 'Basic realm="store"' } },
      ],
    },
  ],
].map(([name, about, switches]) => ({ name, about, ...switches, ...slowness(switches.faults) }));

const sessions = [
  ['broken-keeps-part', 'what arrived of a broken request is kept', { broken: 'kept' }],
  ['broken-keeps-nothing', 'a broken request leaves the session as it was', { broken: 'dropped' }],
  ['broken-ends-session', 'a broken request ends the session', { broken: 'session' }],
  ['broken-no-status', 'the state of an upload cannot be asked for', { broken: 'kept', uploadStatus: 405 }],
].map(([name, about, quirks]) => ({
  name,
  large: true,
  about: `${about}; two PATCHes are reset`,
  quirks: { ...quirks, put: 413 },
  faults: [{ at: 'upload-patch', times: 2, after: 1, resetRequestAfter: 150_000 }],
}));

const answers = [
  ['range-ignored', 'a Range is answered with everything', { range: 'ignored' }],
  ['range-shifted', 'a Range is answered with another part', { range: 'shifted' }],
  ['range-unnamed', 'a part comes without Content-Range', { range: 'unnamed' }],
  ['range-changed', 'the blob is another the second time', { changed: true }],
  ['blob-head-405', 'HEAD of a blob is refused: 405', { blobHead: 405 }],
  ['blob-head-403', 'HEAD of a blob is refused: 403', { blobHead: 403 }],
  ['manifest-head-405', 'HEAD of a manifest is refused: 405', { manifestHead: 405 }],
  ['manifest-head-400', 'HEAD of a manifest is refused: 400', { manifestHead: 400 }],
  [
    'digest-wrong',
    'Docker-Content-Digest is that of other bytes',
    { contentDigest: `sha256:${'0'.repeat(64)}` },
  ],
  ['digest-missing', 'there is no Docker-Content-Digest', { contentDigest: 'none' }],
  ['digest-nonsense', 'Docker-Content-Digest is nonsense', { contentDigest: 'none:nothing' }],
  [
    'digest-sha512',
    'Docker-Content-Digest is in another algorithm',
    { contentDigest: `sha512:${'0'.repeat(128)}` },
  ],
  [
    'manifest-put-digest',
    'the registry says it stored a manifest of another digest',
    { manifestDigest: `sha256:${'0'.repeat(64)}` },
  ],
  ['type-blob', 'blobs are called text/html', { blobType: 'text/html' }],
  [
    'type-manifest-json',
    'manifests are called application/json',
    { manifestType: 'application/json; charset=utf-8' },
  ],
  ['type-manifest-none', 'manifests have no Content-Type', { manifestType: 'none' }],
  ['type-manifest-html', 'manifests are called text/html', { manifestType: 'text/html' }],
  ['subject-lie', 'OCI-Subject is sent and there are no referrers', { referrers: 404 }],
  ['subject-ignored', 'a subject is not noticed', { subject: 'ignored', referrers: 404 }],
  ['referrers-400', 'referrers are answered 400', { referrers: 400 }],
  ['referrers-405', 'referrers are answered 405', { referrers: 405 }],
  ['warning', 'every answer warns', { warning: 'this registry closes on Friday' }],
].map(([name, about, quirks]) => ({ name, about, quirks }));

/** These need a name that looks public: the client must not be led from there to this machine or a private network. */
const inside = [
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

/** All of them; names are unique. `strict` is the registry as the specification has it. */
export const switches = [
  { name: 'strict', about: 'nothing is wrong' },
  ...locations,
  ...pieces,
  ...mounts,
  ...redirects,
  ...secrets,
  ...statuses,
  ...broken,
  ...store,
  ...sessions,
  ...answers,
  ...inside,
];

/** The switches of that name; throws where there is none. */
export function switchesOf(name) {
  const found = switches.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no switch ${name}: --list names all of them`);
  return found;
}
