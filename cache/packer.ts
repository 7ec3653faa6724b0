import { closeSync, constants, openSync, readSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { pathOf } from '../src/core/bytes.ts';
import { type Digest, digestOf, finish, hasher } from '../src/core/digest.ts';
import { BuildError, errnoOf } from '../src/core/errors.ts';
import type { Entry } from '../src/core/types.ts';
import { headerOf, paddingOf, trailer } from '../src/oci/tar-write.ts';

/** One buffer is filled and emptied over and over; a chunk handed to the sink is valid during the call only. */
const bufferBytes = 4 * 2 ** 20;
const bytesPerTurn = 32 * 2 ** 20;
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Writes a deterministic tar: header, content, padding of each entry as it is added. The tar's digest and each file's
 * are taken in the same pass. Reads are synchronous; every 32 MiB the event loop gets its turn.
 */
export class TarPacker {
  readonly #sink: ((chunk: Buffer) => void) | undefined;
  readonly #buffer = Buffer.allocUnsafe(bufferBytes);
  readonly #hash = hasher();
  #filled = 0;
  #sinceTurn = 0;
  /** Bytes of the tar so far. */
  size = 0;

  constructor(sink?: (chunk: Buffer) => void) {
    this.#sink = sink;
  }

  /**
   * Adds an entry; `content` as in `LayerWriter.add`. Returns it with the content's digest. The time loses its
   * nanoseconds, which our tars do not carry.
   */
  add(entry: Entry, content?: Buffer | string): Entry | Promise<Entry> {
    const whole = entry.mtimeNs === undefined ? entry : inWholeSeconds(entry);
    this.#put(headerOf(whole));
    if (entry.type !== 'file') return whole;
    if (typeof content !== 'string')
      return { ...whole, digest: this.#putBytes(entry, content ?? Buffer.alloc(0)) };
    if (entry.size + 1 < bufferBytes) return { ...whole, digest: this.#putSmall(entry, content) };
    return this.#putLarge(whole, content);
  }

  /** Ends the tar and returns its digest: the diffId. */
  finish(): Digest {
    this.#put(trailer);
    this.#flush();
    return finish(this.#hash);
  }

  /** Resolves at once, or after the event loop had its turn where much was done since. */
  rest(): Promise<void> | undefined {
    if (this.#sinceTurn < bytesPerTurn) return undefined;
    this.#sinceTurn = 0;
    return turn();
  }

  #putBytes(entry: Entry, content: Buffer): Digest {
    if (content.length !== entry.size) throw changed(entry);
    this.#put(content);
    this.#put(paddingOf(entry.size));
    return digestOf(content);
  }

  /** One read, of a byte more than there should be: a file that grew is noticed. */
  #putSmall(entry: Entry, file: string): Digest {
    if (bufferBytes - this.#filled < entry.size + 1) this.#flush();
    const fd = open(entry, file);
    try {
      const start = this.#filled;
      let got = 0;
      for (let read = -1; read !== 0 && got <= entry.size; got += read) {
        read = readSync(fd, this.#buffer, start + got, entry.size + 1 - got, null);
        if (got + read === entry.size) {
          got += read;
          break;
        }
      }
      if (got !== entry.size) throw changed(entry);
      this.#filled += got;
      const digest = digestOf(this.#buffer.subarray(start, this.#filled));
      this.#put(paddingOf(entry.size));
      return digest;
    } finally {
      closeSync(fd);
    }
  }

  async #putLarge(entry: Entry, file: string): Promise<Entry> {
    const fd = open(entry, file);
    const hash = hasher();
    try {
      let left = entry.size;
      while (left > 0) {
        if (this.#filled === bufferBytes) this.#flush();
        const want = Math.min(left, bufferBytes - this.#filled);
        const read = readSync(fd, this.#buffer, this.#filled, want, null);
        if (read === 0) throw changed(entry);
        hash.update(this.#buffer.subarray(this.#filled, this.#filled + read));
        this.#filled += read;
        left -= read;
        await this.rest();
      }
      if (readSync(fd, Buffer.alloc(1), 0, 1, null) !== 0) throw changed(entry);
    } finally {
      closeSync(fd);
    }
    this.#put(paddingOf(entry.size));
    return { ...entry, digest: finish(hash) };
  }

  #put(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#filled === bufferBytes) this.#flush();
      const copied = bytes.copy(this.#buffer, this.#filled, at);
      this.#filled += copied;
      at += copied;
    }
  }

  #flush(): void {
    const chunk = this.#buffer.subarray(0, this.#filled);
    this.#hash.update(chunk);
    this.#sink?.(chunk);
    this.size += chunk.length;
    this.#sinceTurn += chunk.length;
    this.#filled = 0;
  }
}

function inWholeSeconds({ mtimeNs: _, ...entry }: Entry): Entry {
  return entry;
}

function open(entry: Entry, file: string): number {
  try {
    return openSync(pathOf(file), openFlags);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ELOOP' || code === 'ENOENT' || code === 'ENXIO' || code === 'ENOTDIR')
      throw changed(entry, error);
    throw new BuildError('context', `"${entry.path}" cannot be read (${code})`, {
      cause: error,
      hint: 'Give yourself the right to read it, or leave it out by an ignore file.',
    });
  }
}

function changed(entry: Entry, cause?: unknown): BuildError {
  return new BuildError('context', `"${entry.path}" changed while it was read`, {
    cause,
    retry: true,
    hint: 'Stop what writes to the context, or leave the file out by an ignore file.',
  });
}
