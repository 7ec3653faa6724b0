// How registries want to be given a blob.
import { basic } from './secrets.mjs';

export const locations = [
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

export const pieces = [
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

export const mounts = [
  ['mount-202', 'a mount opens a session instead', { mount: 'session' }],
  ...[401, 403, 404, 405, 500, 503].map((status) => [
    `mount-${status}`,
    `a mount is answered ${status}`,
    { mount: status },
  ]),
  ['mount-needs-from', 'a mount without a source is refused', { mountNeedsFrom: true }],
].map(([name, about, quirks]) => ({ name, about, quirks }));

export const sessions = [
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
