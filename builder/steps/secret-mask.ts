/** What stands in the place of a secret. */
const STARS = Buffer.from('****');

/** Shorter texts are no secrets, and to mask them would leave little of the output. */
const SHORTEST = 4;

/** Texts that must not be shown, indexed by their first bytes. */
export class SecretTexts {
  readonly #byStart = new Map<number, Buffer[]>();
  /** Starts of fewer than `SHORTEST` bytes. */
  readonly #shortStarts = new Set<string>();
  /** Bytes of the longest text. */
  readonly longest: number;

  /** Every value is one text as a whole, and so is each of its lines, blanks around them left out. */
  constructor(values: readonly Buffer[]) {
    const texts = values.flatMap(textsOf).filter((text) => text.length >= SHORTEST);
    const unique = [...new Map(texts.map((text) => [text.toString('latin1'), text])).values()];
    for (const text of unique) this.#add(text);
    this.longest = unique.reduce((longest, text) => Math.max(longest, text.length), 0);
  }

  get none(): boolean {
    return this.longest === 0;
  }

  /** The end of the longest text that stands at `at`; -1 for none. */
  endAt(bytes: Buffer, at: number): number {
    if (bytes.length - at < SHORTEST) return -1;
    const texts = this.#byStart.get(bytes.readUInt32LE(at)) ?? [];
    const length = texts.reduce(
      (most, text) => (isAt(bytes, at, text) ? Math.max(most, text.length) : most),
      0,
    );
    return length === 0 ? -1 : at + length;
  }

  /** Whether the bytes from `at` to the end are the beginning of a longer text. */
  mayBeginAt(bytes: Buffer, at: number): boolean {
    const rest = bytes.subarray(at);
    if (rest.length < SHORTEST) return this.#shortStarts.has(rest.toString('latin1'));
    const texts = this.#byStart.get(rest.readUInt32LE(0)) ?? [];
    return texts.some((text) => text.length > rest.length && isAt(text, 0, rest));
  }

  #add(text: Buffer): void {
    const start = text.readUInt32LE(0);
    this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), text]);
    for (let length = 1; length < SHORTEST; length++) {
      this.#shortStarts.add(text.toString('latin1', 0, length));
    }
  }
}

function textsOf(value: Buffer): Buffer[] {
  const whole = value.toString('latin1');
  const lines = whole.split(/[\r\n]+/);
  return [whole.replace(/[\r\n]+$/, ''), ...lines.map((line) => line.trim())].map((text) =>
    Buffer.from(text, 'latin1'),
  );
}

function isAt(bytes: Buffer, at: number, text: Buffer): boolean {
  const end = at + text.length;
  return end <= bytes.length && bytes.compare(text, 0, text.length, at, end) === 0;
}

/**
 * Replaces secret texts in a stream of bytes, however it is cut: what may be the beginning of one waits until more is
 * known. Texts that overlap become one row of stars.
 */
export class SecretMask {
  readonly #texts: SecretTexts;
  #waiting: Buffer = Buffer.alloc(0);
  /** How much of what waits is part of a text whose stars are out already. */
  #covered = 0;

  constructor(texts: SecretTexts) {
    this.#texts = texts;
  }

  /** What can be shown now. */
  push(chunk: Buffer): Buffer {
    if (this.#texts.none) return chunk;
    const bytes = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
    return this.#masked(bytes, this.#undecided(bytes));
  }

  /** What still waits: nothing follows it. */
  rest(): Buffer {
    return this.#masked(this.#waiting, this.#waiting.length);
  }

  /** Where the bytes begin that may be the beginning of a text. */
  #undecided(bytes: Buffer): number {
    let at = Math.max(0, bytes.length - this.#texts.longest + 1);
    while (at < bytes.length && !this.#texts.mayBeginAt(bytes, at)) at++;
    return at;
  }

  /** Masks up to `until` and keeps what follows waiting. */
  #masked(bytes: Buffer, until: number): Buffer {
    const shown: Buffer[] = [];
    let plain = this.#covered;
    let covered = this.#covered;
    for (let at = 0; at < until; at++) {
      const end = this.#texts.endAt(bytes, at);
      if (end < 0) continue;
      if (at >= covered) {
        shown.push(bytes.subarray(plain, at), STARS);
      }
      covered = Math.max(covered, end);
      plain = covered;
    }
    if (plain < until) shown.push(bytes.subarray(plain, until));
    this.#covered = Math.max(0, covered - until);
    this.#waiting = Buffer.from(bytes.subarray(until));
    return Buffer.concat(shown);
  }
}
