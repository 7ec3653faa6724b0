// Another host: the object store that a registry redirects to, as S3 and its kind behave.
import { refuse } from './answers.mjs';
import { content } from './blobs.mjs';

/**
 * Blobs by signed address. `store` is data: `refusesAuthorization` (400, "only one auth mechanism"), `uses` (requests that an
 * address is good for), `asksForToken` (401 with a challenge of its own, once for each address).
 */
export class Store {
  #left = new Map();
  #origin;
  #quirks;

  constructor(origin, quirks) {
    this.#origin = origin;
    this.#quirks = quirks;
  }

  /** A new signed address of a blob. */
  address(digest) {
    const signature = `${this.#left.size}-secret-signature`;
    this.#left.set(signature, this.#quirks.uses ?? Number.POSITIVE_INFINITY);
    return `${this.#origin}/bucket/${digest}?X-Signature=${signature}`;
  }

  answer(call, { state, quirks }) {
    const signature = call.url.searchParams.get('X-Signature');
    const digest = call.url.pathname.split('/').at(-1);
    const left = this.#left.get(signature);
    if (this.#quirks.refusesAuthorization && call.headers.authorization !== undefined)
      return xml(400, 'InvalidArgument', 'Only one auth mechanism allowed');
    if (left === undefined || left <= 0) return xml(403, 'AccessDenied', 'Request has expired');
    this.#left.set(signature, left - 1);
    const bytes = state.blobs.get(digest);
    return bytes === undefined ? refuse(404, 'BLOB_UNKNOWN') : content(bytes, digest, call, quirks);
  }
}

function xml(status, code, message) {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body };
}
