// What goes wrong on the way, whatever is asked.
import { basic, bearer } from './secrets.mjs';

const html = { 'content-type': 'text/html' };
const page = '<!doctype html><html><body><h1>Something went wrong</h1></body></html>';
const uploads = ['upload-start', 'upload-mount', 'upload-patch', 'upload-put', 'upload-status'];
const reads = ['blob-head', 'blob-get', 'manifest-head', 'manifest-get'];

export const statuses = [408, 429, 499, 500, 502, 503, 504, 522].map((status) => ({
  name: `${status}-once`,
  about: `each kind of request is answered ${status} once`,
  faults: [...uploads, ...reads, 'manifest-put'].map((at) => ({
    at,
    status,
    headers: html,
    body: page,
  })),
}));

export const broken = [
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
export function slowness(faults) {
  const isSlow = (fault) => ['stall', 'stallAfter', 'trickle', 'trickleHeaders'].some((key) => key in fault);
  const found = faults.filter(isSlow);
  if (found.length === 0) return {};
  return { slow: found.some(({ times }) => times === 'always') ? 'always' : 'once' };
}
