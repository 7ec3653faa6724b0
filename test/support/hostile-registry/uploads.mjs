// Uploads: POST, PATCH, PUT, GET and DELETE under /blobs/uploads/, as strict as the specification, with the quirks of §4.2.
import { refuse } from './answers.mjs';
import { isDigest, isRepository } from './grammar.mjs';

const noLength = () => refuse(411, 'SIZE_INVALID', 'a Content-Length is needed');

/** POST without a query: a session, or nothing without `Content-Length: 0`. */
export function start({ repository, headers }, { state, quirks }) {
  if (headers['content-length'] !== '0') return noLength();
  return opened(state.openUpload(repository), quirks);
}

/** POST with `mount`: 201 where the blob is taken over, else a session, or what `quirks.mount` says. */
export function mount({ repository, url, headers }, { state, quirks }) {
  const digest = url.searchParams.get('mount');
  const from = url.searchParams.get('from');
  if (!isDigest(digest)) return refuse(400, 'DIGEST_INVALID');
  if (from !== null && !isRepository(from)) return refuse(400, 'NAME_INVALID');
  if (from === null && quirks.mountNeedsFrom) return refuse(404, 'NAME_UNKNOWN', 'mount without from');
  if (headers['content-length'] !== '0') return noLength();
  if (typeof quirks.mount === 'number') return refuse(quirks.mount, 'UNSUPPORTED', 'no mounting here');
  const isThere = from === null ? state.anywhere(digest) : state.has(from, digest);
  if (!isThere || quirks.mount === 'session') return opened(state.openUpload(repository), quirks);
  state.hold(repository, digest);
  return created(repository, digest, {});
}

/** POST with `digest`: all in one request, or (`onePost: false`) a session as if there were no body. */
export async function post(call, { state, quirks }) {
  const { repository, url, headers, body } = call;
  const digest = url.searchParams.get('digest');
  if (!isDigest(digest)) return refuse(400, 'DIGEST_INVALID');
  if (headers['content-length'] === undefined) return noLength();
  const upload = state.openUpload(repository);
  if (quirks.onePost === false) {
    await body.drop();
    return opened(upload, quirks);
  }
  for await (const chunk of body) upload.add(chunk);
  return finish(upload, digest, { state, quirks });
}

export async function patch(call, { state, quirks }) {
  const { headers, body } = call;
  const { upload, refused } = find(call, { state, quirks });
  if (refused !== undefined) return refused;
  if (quirks.patch !== undefined) {
    await body.drop();
    return refuse(quirks.patch, 'UNSUPPORTED', 'no pieces here');
  }
  const wrong =
    wrongBody(call, upload) ?? wrongRange(headers, upload, quirks) ?? (await tooLarge(call, quirks));
  if (wrong !== undefined) return wrong;
  await take(upload, body, quirks, state);
  upload.generation += 1;
  return {
    status: quirks.patchStatus ?? 202,
    headers: { ...place(upload, quirks), ...range(upload, quirks) },
  };
}

/** The last request: everything (monolithic), the last piece, or nothing more. */
export async function put(call, { state, quirks }) {
  const { url, headers, body } = call;
  const { upload, refused } = find(call, { state, quirks });
  if (refused !== undefined) return refused;
  const digest = url.searchParams.get('digest') ?? '';
  if (!isDigest(digest)) return refuse(400, 'DIGEST_INVALID');
  if (headers['content-length'] === undefined) return noLength();
  const isMonolithic = call.length > 0 && upload.size === 0;
  const status = isMonolithic ? refusedSize(call, quirks) : quirks.closingPut;
  if (status !== undefined) {
    if (!quirks.early) await body.drop();
    return refuse(status, 'SIZE_INVALID', 'not in one piece');
  }
  const wrong =
    wrongBody(call, upload) ??
    (headers['content-range'] === undefined ? undefined : wrongRange(headers, upload, quirks));
  if (wrong !== undefined) return wrong;
  await take(upload, body, quirks, state);
  return finish(upload, digest, { state, quirks });
}

/** GET: how far the upload is. */
export function status(call, { state, quirks }) {
  const { upload, refused } = find(call, { state, quirks });
  if (refused !== undefined) return refused;
  if (quirks.uploadStatus !== undefined) return refuse(quirks.uploadStatus, 'UNSUPPORTED');
  return { status: 204, headers: { ...place(upload, quirks), ...range(upload, {}) } };
}

export function cancel(call, { state, quirks }) {
  const { upload, refused } = find(call, { state, quirks });
  if (refused !== undefined) return refused;
  state.uploads.delete(upload.id);
  return { status: 204 };
}

function opened(upload, quirks) {
  const least = quirks.minChunkBytes === undefined ? {} : { 'oci-chunk-min-length': quirks.minChunkBytes };
  return { status: 202, headers: { ...place(upload, quirks), range: '0-0', ...least } };
}

function find({ repository, name, url }, { state, quirks }) {
  const upload = state.uploads.get(name);
  if (upload === undefined || upload.repository !== repository)
    return { refused: refuse(404, 'BLOB_UPLOAD_UNKNOWN') };
  const isNewest = url.searchParams.get('generation') === String(upload.generation);
  if (quirks.newLocations && !isNewest)
    return { refused: refuse(404, 'BLOB_UPLOAD_UNKNOWN', 'an address that is not the newest') };
  if (quirks.location === 'query' && url.searchParams.get('_state') !== stateOf(upload))
    return { refused: refuse(404, 'BLOB_UPLOAD_INVALID', 'the query is not what was handed out') };
  return { upload };
}

/** Characters that clients like to decode or encode anew. */
const stateOf = (upload) => `a+b/c=${upload.id}==`;

/** The Location that the next request must go to, in the form that `quirks.location` asks for. */
function place(upload, { location = 'path', newLocations, hosts }) {
  const query = new URLSearchParams();
  if (newLocations) query.set('generation', String(upload.generation));
  if (location === 'query') query.set('_state', stateOf(upload));
  const text = query.toString() === '' ? '' : `?${query}`;
  const path = `/v2/${upload.repository}/blobs/uploads/${upload.id}${text}`;
  if (location === 'missing') return {};
  if (location === 'absolute') return { location: `${hosts.registry.origin}${path}` };
  if (location === 'host') return { location: `${hosts.registry.host}${path}` };
  if (location === 'relative') return { location: `${upload.id}${text}` };
  if (location === 'other-host') return { location: `${hosts.store.origin}${path}` };
  // `HOST` stands for the registry itself.
  const other = location.replace('HOST', hosts.registry.host);
  return { location: location === 'path' || location === 'query' ? path : other };
}

/** Empty and one byte are told alike, as docker's registry does. */
function range(upload, { rangeAfterPatch = 'exact' }) {
  if (rangeAfterPatch === 'none') return {};
  return { range: `0-${Math.max(0, upload.size - 1)}` };
}

function wrongRange(headers, upload, quirks) {
  const length = headers['content-length'];
  const text = headers['content-range'];
  if (text === undefined)
    return upload.size > 0 && !quirks.looseRange ? outOfOrder(upload, quirks) : undefined;
  const match = /^([0-9]+)-([0-9]+)$/.exec(text);
  if (match === null) return refuse(400, 'BLOB_UPLOAD_INVALID', 'the Content-Range is not <start>-<end>');
  if (length === undefined) return noLength();
  const [from, to] = [Number(match[1]), Number(match[2])];
  if (to - from + 1 !== Number(length)) return refuse(400, 'SIZE_INVALID', 'range and length differ');
  return from === upload.size ? undefined : outOfOrder(upload, quirks);
}

function outOfOrder(upload, quirks) {
  const answer = refuse(416, 'RANGE_INVALID', 'this piece is not the next one');
  return { ...answer, headers: { ...answer.headers, ...place(upload, quirks), ...range(upload, {}) } };
}

function wrongBody({ headers, length }, upload) {
  if (length === 0) return undefined;
  const type = headers['content-type'];
  if (type !== 'application/octet-stream') return refuse(415, 'UNSUPPORTED', `no blob has the type ${type}`);
  // A smaller piece is right only as the last one, which shows at the next.
  return upload.wasSmall ? refuse(416, 'RANGE_INVALID', 'the piece before was too small') : undefined;
}

async function tooLarge({ length, body }, { maxPatchBytes = Number.POSITIVE_INFINITY }) {
  if (length <= maxPatchBytes) return undefined;
  await body.drop();
  return refuse(416, 'RANGE_INVALID', `the piece exceeds the limit of ${maxPatchBytes} bytes`);
}

function refusedSize({ length }, { put: refused, maxPutBytes = Number.POSITIVE_INFINITY }) {
  return refused ?? (length > maxPutBytes ? 413 : undefined);
}

/** Adds a body. What is left of one that broke is kept, dropped, or the end of the session (`quirks.broken`). */
async function take(upload, body, { broken = 'kept', keepsPart, minChunkBytes = 0 }, state) {
  const whole = [];
  let left = keepsPart ?? Number.POSITIVE_INFINITY;
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      const part = chunk.subarray(0, left);
      left -= part.length;
      if (broken === 'kept') upload.add(part);
      else whole.push(part);
    }
  } catch (error) {
    if (broken === 'session') state.uploads.delete(upload.id);
    throw error;
  }
  for (const chunk of whole) upload.add(chunk);
  upload.wasSmall = size > 0 && size < minChunkBytes;
}

function finish(upload, digest, { state, quirks }) {
  state.uploads.delete(upload.id);
  if (!upload.isAll(digest)) return refuse(400, 'DIGEST_INVALID', 'the bytes are not those of the digest');
  state.blobs.set(digest, upload.bytes());
  state.hold(upload.repository, digest);
  return created(upload.repository, digest, quirks);
}

function created(repository, digest, { createdStatus = 201, uploadDigest }) {
  const location = `/v2/${repository}/blobs/${digest}`;
  return { status: createdStatus, headers: { location, 'docker-content-digest': uploadDigest ?? digest } };
}
