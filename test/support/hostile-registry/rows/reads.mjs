// What registries answer, and what the store does that they redirect to.
import { basic } from './secrets.mjs';
import { slowness } from './trouble.mjs';

export const redirects = [
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

export const store = [
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

export const answers = [
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
