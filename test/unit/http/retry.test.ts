import { describe, expect, it } from 'vitest';
import { BuildError } from '../../../src/core/errors.ts';
import { oneLine, redact } from '../../../src/http/redact.ts';
import { parseRetryAfter, retrying } from '../../../src/http/retry.ts';

const transient = (retryAfterMs?: number): BuildError =>
  new BuildError('network', 'broke', { retry: true, ...(retryAfterMs !== undefined && { retryAfterMs }) });

describe('retrying', () => {
  it('tries again while the error says so, then gives what came', async () => {
    const seen: number[] = [];
    const result = await retrying(
      async (number) => {
        seen.push(number);
        if (number < 2) throw transient();
        return 'done';
      },
      { retries: 3, delayMs: 1 },
    );
    expect(result).toBe('done');
    expect(seen).toEqual([0, 1, 2]);
  });

  it('stops after its tries', async () => {
    let tries = 0;
    const attempt = retrying(async () => Promise.reject(transient(tries++)), { retries: 2, delayMs: 1 });
    await expect(attempt).rejects.toThrow('broke');
    expect(tries).toBe(3);
  });

  it('does not try again what will not change', async () => {
    let tries = 0;
    const final = async (): Promise<never> => {
      tries++;
      throw new BuildError('denied', 'no');
    };
    await expect(retrying(final, { retries: 5, delayMs: 1 })).rejects.toThrow('no');
    expect(tries).toBe(1);
  });

  it('waits as long as the server asks, and refuses to wait for hours', async () => {
    const pauses: number[] = [];
    const onRetry = (_: BuildError, __: number, ms: number): void => void pauses.push(ms);
    let tries = 0;
    await retrying(async () => (tries++ === 0 ? Promise.reject(transient(7)) : 1), {
      retries: 1,
      delayMs: 1,
      onRetry,
    });
    expect(pauses).toEqual([7]);
    const long = retrying(async () => Promise.reject(transient(3_600_000)), {
      retries: 5,
      delayMs: 1,
      onRetry,
    });
    await expect(long).rejects.toThrow('broke');
    expect(pauses).toEqual([7]);
  });

  it('ends a pause when aborted', async () => {
    const controller = new AbortController();
    const attempt = retrying(async () => Promise.reject(transient()), {
      retries: 1,
      delayMs: 60_000,
      signal: controller.signal,
      onRetry: () => controller.abort(),
    });
    await expect(attempt).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    ['5', 5000],
    [' 0 ', 0],
    ['Thu, 01 Jan 2026 00:00:10 GMT', 10_000],
    ['Thu, 01 Jan 2025 00:00:10 GMT', 0],
    ['soon', undefined],
    ['-3', undefined],
    ['1.5', undefined],
    [undefined, undefined],
  ])('%s', (value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected);
  });
});

describe('redact', () => {
  it('keeps host and path alone', () => {
    expect(redact('https://user:pass@h.org:8443/a/b?X-Amz-Signature=abc#frag')).toBe(
      'https://h.org:8443/a/b',
    );
    expect(redact('nonsense token')).toBe('(unreadable address)');
  });
  it('makes foreign text harmless', () => {
    expect(oneLine('a\nb\u001b[31m see https://h/x?token=abc now')).toBe('a b [31m see https://h/x now');
    expect(oneLine('x'.repeat(300))).toHaveLength(201);
    expect(oneLine(`a?b?c=d ${'?'.repeat(1 << 17)}`, 6)).toBe('a?b ??…');
  });
});
