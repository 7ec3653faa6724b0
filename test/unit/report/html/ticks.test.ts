import { expect, it } from 'vitest';
import { ticksOf, tickWords } from '../../../../src/report/html/ticks.ts';

it('an axis has few and round times', () => {
  const axis = (ms: number): string => ticksOf(ms).map(tickWords).join(' ');
  expect(axis(1298)).toBe('0 500ms 1s');
  expect(axis(44)).toBe('0 10ms 20ms 30ms 40ms');
  expect(axis(95_000)).toBe('0 30s 1m 1m30s');
  expect(axis(3 * 3_600_000)).toBe('0 30m 1h 1h30m 2h 2h30m');
  expect(axis(1)).toBe('0');
  expect(axis(1e10).split(' ').length).toBeLessThan(3);
});
