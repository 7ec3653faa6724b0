/*
 * Bytes as ssh writes them (RFC 4251 §5) and the messages of its agents (draft-miller-ssh-agent).
 */

/** Message types that matter here. */
export const FAILURE = 5;
export const REQUEST_IDENTITIES = 11;
export const IDENTITIES_ANSWER = 12;
export const SIGN_REQUEST = 13;
export const SIGN_RESPONSE = 14;

/** Longer messages are none that an agent sends or takes. */
const LONGEST = 256 * 1024;

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Bytes behind their length. */
export function string(bytes: Buffer | string): Buffer {
  const content = Buffer.from(bytes);
  return Buffer.concat([uint32(content.length), content]);
}

/** A positive number without leading zeros; one more where its highest bit would make it negative. */
export function mpint(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.alloc(0) : bytes.subarray(first);
  return string(digits.length > 0 && digits[0]! > 127 ? Buffer.concat([Buffer.alloc(1), digits]) : digits);
}

/** Reads values one after another; what is cut short throws RangeError. */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  string(): Buffer {
    return this.#take(this.uint32());
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('cut short');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

/** The messages in a stream, without their lengths: type first. An impossible length throws RangeError. */
export async function* messagesIn(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let waiting: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= 4) {
      const length = waiting.readUInt32BE();
      if (length === 0 || length > LONGEST) throw new RangeError('no message of an ssh agent');
      if (waiting.length < 4 + length) break;
      yield waiting.subarray(4, 4 + length);
      waiting = waiting.subarray(4 + length);
    }
  }
}
