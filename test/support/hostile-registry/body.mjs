// The body of a request, which may be cut off: by the client, or by a fault of ours.
import { Gone, reset } from './answers.mjs';

/** Reads a request's body once. After `resetAfter` bytes the connection is reset and reading throws. */
export class Body {
  #request;
  #onBytes;
  #resetAfter;

  constructor(request, { onBytes, resetAfter = Number.POSITIVE_INFINITY }) {
    this.#request = request;
    this.#onBytes = onBytes;
    this.#resetAfter = resetAfter;
  }

  async *[Symbol.asyncIterator]() {
    let left = this.#resetAfter;
    for await (const chunk of this.#request) {
      const part = chunk.subarray(0, left);
      left -= part.length;
      this.#onBytes(part.length);
      yield part;
      if (left === 0) this.#reset();
    }
  }

  async bytes() {
    const chunks = [];
    for await (const chunk of this) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** Reads all of it for nothing. */
  async drop() {
    for await (const _ of this);
  }

  #reset() {
    reset(this.#request.socket);
    throw new Gone('reset as told');
  }
}
