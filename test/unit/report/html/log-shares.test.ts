import { describe, expect, it } from 'vitest';
import { shareSpace } from '../../../../src/report/html/log-shares.ts';

const lines = (count: number, text = 'line'): string =>
  Array.from({ length: count }, (_, i) => `${text} ${i}\n`).join('');
const whole = (text: string) => ({ head: text, tail: '', hidden: 0 });

describe('the space of logs', () => {
  it('leaves short logs whole, and gives what they leave to long ones', () => {
    const logs = new Map([
      ['short', whole('a\nb\n')],
      ['long', whole(lines(10_000))],
    ]);
    const shown = shareSpace(logs, 10_000);
    expect(shown.get('short')).toEqual(whole('a\nb\n'));
    const { head, tail, hidden } = shown.get('long')!;
    expect(head.startsWith('line 0\nline 1\n')).toBe(true);
    expect(tail.endsWith('line 9998\nline 9999')).toBe(true);
    expect(head.length + tail.length).toBeGreaterThan(9_000);
    expect(head.length + tail.length).toBeLessThan(10_000);
    expect(head.length + tail.length + hidden).toBeCloseTo(lines(10_000).length, -1);
  });

  it('counts what is hidden between ends that were read apart', () => {
    const log = { head: lines(100, 'head'), tail: lines(100, 'tail'), hidden: 1e9 };
    const { head, tail, hidden } = shareSpace(new Map([['a', log]]), 400).get('a')!;
    expect(head.startsWith('head 0')).toBe(true);
    expect(tail.endsWith('tail 99')).toBe(true);
    expect(hidden).toBeGreaterThan(1e9);
  });

  it('measures bytes of the page: what is escaped takes more', () => {
    const { head, tail } = shareSpace(new Map([['a', whole(lines(1000, '<<<<'))]]), 4000).get('a')!;
    const escaped = `${head}${tail}`.replaceAll('<', '&lt;');
    expect(escaped.length).toBeLessThanOrEqual(4000);
  });

  it('cuts a line without an end', () => {
    const log = whole(`first\n${'x'.repeat(1e6)}\nlast\n`);
    const { head, tail } = shareSpace(new Map([['a', log]]), 6000).get('a')!;
    expect(`${head}\n${tail}`).toContain(`${'x'.repeat(1000)}…`);
    expect(`${head}${tail}`.endsWith('last')).toBe(true);
  });
});
