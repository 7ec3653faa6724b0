/** Somebody who has something to say: a step, or a transfer. */
export interface Speaker {
  /** Text that was not printed yet. */
  pending: string;
  /** Since when there is something to be printed; undefined where there is nothing. */
  since: number | undefined;
}

/** Nobody is interrupted by somebody as busy within this time, in milliseconds. */
const QUIET_MS = 5000;

/** Nobody waits longer than this, in milliseconds. */
const PATIENCE_MS = 10_000;

/** Nobody keeps more than this to be said later, in characters. */
const MOST_WAITING = 1 << 20;

/**
 * Who may speak, so that a log of steps that run side by side can be read: a step goes on speaking, the longer the more
 * of all text is its own, and nobody waits for long.
 */
export class Turns<S extends Speaker> {
  #current: S | undefined;
  #beganAt = 0;
  #said = 0;
  readonly #waiting = new Set<S>();

  get current(): S | undefined {
    return this.#current;
  }

  /** Somebody has more to say. */
  waits(speaker: S, now: number): void {
    speaker.since ??= now;
    this.#waiting.add(speaker);
  }

  /** Somebody speaks from now on. */
  begin(speaker: S, now: number): void {
    if (this.#current !== speaker) [this.#current, this.#beganAt, this.#said] = [speaker, now, 0];
    this.#said += speaker.pending.length;
    this.#waiting.delete(speaker);
    speaker.since = undefined;
  }

  /** Whoever speaks stops: it has ended, or is interrupted. */
  stop(): void {
    this.#current = undefined;
  }

  /** Who is to speak now, or undefined where nobody has to. */
  next(now: number): S | undefined {
    const current = this.#current;
    if (current !== undefined && this.#waiting.has(current)) return current;
    const longest = best([...this.#waiting], (one) => now - one.since!);
    if (current === undefined || longest === undefined) return longest;
    if (now - longest.since! > PATIENCE_MS) return longest;
    for (const one of this.#waiting) if (one.pending.length > MOST_WAITING) return one;
    const busiest = best([...this.#waiting], (one) => this.#speed(one, now))!;
    // Whoever was only named keeps nobody waiting who has something to say.
    if (this.#said === 0) return busiest.pending.length > 0 ? busiest : undefined;
    return now - this.#beganAt > QUIET_MS / (1 - this.#share(now)) ? busiest : undefined;
  }

  /** How much of what is said by all is said by whoever speaks. */
  #share(now: number): number {
    const own = this.#said / Math.max(1, now - this.#beganAt);
    const others = [...this.#waiting].reduce((sum, one) => sum + this.#speed(one, now), 0);
    return own + others === 0 ? 0 : own / (own + others);
  }

  #speed({ pending, since }: S, now: number): number {
    return pending.length / Math.max(1, now - since!);
  }
}

function best<S>(all: readonly S[], worth: (one: S) => number): S | undefined {
  return all.reduce<S | undefined>(
    (found, one) => (found === undefined || worth(one) > worth(found) ? one : found),
    undefined,
  );
}
