// GET and HEAD of blobs, also in parts, here or at the store that the registry redirects to.
import { refuse } from './answers.mjs';

/** What the registry says of a blob: the blob, a redirect to the store, or 404. */
export function blob(call, { state, quirks, store }) {
  const { op, repository, name } = call;
  if (op === 'blob-head' && quirks.blobHead !== undefined) return refuse(quirks.blobHead, 'UNSUPPORTED');
  if (!state.has(repository, name)) return refuse(404, 'BLOB_UNKNOWN');
  const isRedirected = quirks.redirect === 'all' || (quirks.redirect === 'get' && op === 'blob-get');
  if (isRedirected) return { status: 307, headers: { location: store.address(name) } };
  if (typeof quirks.redirect === 'object') {
    const location = quirks.redirect.to.replace('HOST', quirks.hosts.registry.host).replace('DIGEST', name);
    return { status: 307, headers: { location } };
  }
  return content(state.blobs.get(name), name, call, quirks);
}

/** The bytes, or the part that a Range asks for (RFC 9110 §14), with the quirks of `quirks.range`. */
export function content(whole, digest, { op, headers, nth }, quirks) {
  const { range: how = 'honoured', contentDigest = digest, blobType = 'application/octet-stream' } = quirks;
  const bytes = quirks.changed && nth > 1 ? Buffer.concat([whole, whole]) : whole;
  const etag = quirks.changed ? `"${digest}-${nth}"` : `"${digest}"`;
  const described = {
    'content-type': blobType,
    ...(contentDigest !== 'none' && digestHeader(contentDigest)),
  };
  const common = { ...described, etag, 'accept-ranges': 'bytes', ...warning(quirks) };
  const asked = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
  const isStale = headers['if-range'] !== undefined && headers['if-range'] !== etag;
  if (asked === null || how === 'ignored' || isStale || op === 'blob-head')
    return { status: 200, headers: common, body: bytes };
  const from = Number(asked[1]);
  const to = Math.min(asked[2] === '' ? bytes.length - 1 : Number(asked[2]), bytes.length - 1);
  if (from >= bytes.length || from > to)
    return { status: 416, headers: { ...common, 'content-range': `bytes */${bytes.length}` } };
  return part(bytes, { from: how === 'shifted' ? from + 1 : from, to }, common, how);
}

function part(bytes, { from, to }, common, how) {
  const range = how === 'unnamed' ? {} : { 'content-range': `bytes ${from}-${to}/${bytes.length}` };
  return { status: 206, headers: { ...common, ...range }, body: bytes.subarray(from, to + 1) };
}

export function digestHeader(digest) {
  return { 'docker-content-digest': digest };
}

/** RFC 9111's obsolete header, which registries use for words to people (distribution-spec, Warnings). */
export function warning({ warning: text }) {
  return text === undefined ? {} : { warning: `299 - "${text}"` };
}
