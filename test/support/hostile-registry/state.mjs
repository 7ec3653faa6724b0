// What the registry holds: content by digest, and what each repository has of it.
import { createHash } from 'node:crypto';
import { digestOf } from './grammar.mjs';

/** One registry's content. With `keep: 'digests'` the bytes of blobs are dropped after they were hashed. */
export class State {
  /** Digest → bytes, of blobs (undefined where only digests are kept). */
  blobs = new Map();
  /** Repository → digests of its blobs. */
  #holdings = new Map();
  /** `repository:tag` and `repository@digest` → `{ type, bytes, digest }`. */
  manifests = new Map();
  uploads = new Map();
  /** Bytes of request bodies that arrived for blobs, wherever they ended up. */
  received = 0;
  #keep;

  constructor(keep = 'bytes') {
    this.#keep = keep;
  }

  has(repository, digest) {
    return this.#holdings.get(repository)?.has(digest) ?? false;
  }

  hold(repository, digest) {
    const held = this.#holdings.get(repository) ?? new Set();
    this.#holdings.set(repository, held.add(digest));
  }

  /** True when some repository has it: mounting then needs no `from` at registries that allow that. */
  anywhere(digest) {
    return [...this.#holdings.values()].some((held) => held.has(digest));
  }

  addBlob(repository, bytes) {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    this.hold(repository, digest);
    return digest;
  }

  addManifest(repository, reference, { type, bytes }) {
    const digest = digestOf(bytes, reference.includes(':') ? reference : undefined);
    const stored = { type, bytes, digest };
    this.manifests.set(`${repository}@${digest}`, stored);
    if (!reference.includes(':')) this.manifests.set(`${repository}:${reference}`, stored);
    return stored;
  }

  manifest(repository, reference) {
    return this.manifests.get(`${repository}${reference.includes(':') ? '@' : ':'}${reference}`);
  }

  openUpload(repository) {
    const id = `${this.uploads.size + 1}-${Math.random().toString(36).slice(2)}`;
    const upload = new Upload(id, repository, this.#keep === 'bytes');
    this.uploads.set(id, upload);
    return upload;
  }
}

/** An upload session: what arrived so far, and which of its addresses counts. */
class Upload {
  size = 0;
  /** Counts the addresses that were handed out. */
  generation = 0;
  #chunks = [];
  #hashes = { sha256: createHash('sha256'), sha512: createHash('sha512') };
  #keeps;

  constructor(id, repository, keeps) {
    this.id = id;
    this.repository = repository;
    this.#keeps = keeps;
  }

  add(chunk) {
    this.size += chunk.length;
    for (const hash of Object.values(this.#hashes)) hash.update(chunk);
    if (this.#keeps) this.#chunks.push(chunk);
  }

  /** Takes the bytes for a blob of this digest; false when they are others. */
  isAll(digest) {
    const [algorithm, hex] = digest.split(':');
    return this.#hashes[algorithm]?.copy().digest('hex') === hex;
  }

  bytes() {
    return this.#keeps ? Buffer.concat(this.#chunks) : undefined;
  }
}
