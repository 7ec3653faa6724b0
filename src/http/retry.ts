import { setTimeout as sleep } from 'node:timers/promises';
import { BuildError } from '../core/errors.ts';

export interface RetryOptions {
  /** Further attempts after the first. */
  readonly retries: number;
  /** Pause before the second attempt; it doubles each time, up to 30 s, with a quarter of jitter. */
  readonly delayMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Told before each pause. */
  readonly onRetry?: (error: BuildError, attempt: number, delayMs: number) => void;
}

const longestPauseMs = 30_000;
/** A server may ask for more patience than this; then the build fails with what the server said. */
const longestRetryAfterMs = 120_000;

/**
 * Runs `attempt` until it succeeds, fails with an error that does not say `retry`, or has had its tries: what is thrown then
 * does not say `retry` any more, so that tries within tries do not multiply.
 */
export async function retrying<T>(
  attempt: (number: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  for (let number = 0; ; number++) {
    try {
      return await attempt(number);
    } catch (error) {
      const pauseMs = pauseBefore(error, number, options);
      if (pauseMs === undefined) throw error instanceof BuildError ? error.with({ retry: false }) : error;
      options.onRetry?.(error as BuildError, number + 1, pauseMs);
      await pause(pauseMs, options.signal);
    }
  }
}

/** True for the answers that are worth another try (spec: registry.md §3.1, Retry). */
export function isRetryableStatus(status: number): boolean {
  return [408, 425, 429, 499, 500, 502, 503, 504, 522].includes(status);
}

/** Milliseconds that a Retry-After header asks for: seconds or a date (RFC 9110 §10.2.3); undefined when unreadable. */
export function parseRetryAfter(value: string | undefined, nowMs = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1000;
  const date = /[a-z]/i.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

function pauseBefore(error: unknown, number: number, options: RetryOptions): number | undefined {
  if (!(error instanceof BuildError) || !error.retry || number >= options.retries) return undefined;
  if (options.signal?.aborted) return undefined;
  const asked = error.retryAfterMs;
  if (asked !== undefined) return asked > longestRetryAfterMs ? undefined : Math.max(asked, options.delayMs);
  const base = Math.min(options.delayMs * 2 ** number, longestPauseMs);
  return Math.round(base * (1 + Math.random() / 4));
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw interrupted(signal);
  }
}

/** What an aborted request fails with: the reason where it is an error of ours, else `interrupted`. */
export function interrupted(signal: AbortSignal): BuildError {
  if (signal.reason instanceof BuildError) return signal.reason;
  return new BuildError('interrupted', 'the transfer was interrupted');
}
