import { describe, expect, it } from 'vitest';
import { cleanLine, cleanText, Lines } from '../../../src/report/clean.ts';
import {
  formatAge,
  formatBytes,
  formatRate,
  formatSeconds,
  formatTable,
} from '../../../src/report/format.ts';
import { clip, widthOf } from '../../../src/report/width.ts';

describe('sizes and times', () => {
  it.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1.00kB'],
    [1234, '1.23kB'],
    [12_345, '12.3kB'],
    [999_499, '999kB'],
    [999_500, '1.00MB'],
    [63_100_000, '63.1MB'],
    [5e15, '5.00PB'],
    [5e18, '5000PB'],
  ])('%d bytes are %s', (count, text) => expect(formatBytes(count)).toBe(text));

  it.each([
    [-5, '0.0s'],
    [99, '0.0s'],
    [1250, '1.2s'],
    [59_999, '59.9s'],
    [60_000, '1m00s'],
    [3_599_999, '59m59s'],
    [7_500_000, '2h05m'],
  ])('%d ms are %s', (ms, text) => expect(formatSeconds(ms)).toBe(text));

  it('rates only what can be rated', () => {
    expect(formatRate(1_000_000, 500)).toBe('2.00MB/s');
    expect(formatRate(1_000_000, 100)).toBe('');
    expect(formatRate(0, 1000)).toBe('');
  });

  it.each([
    ['2026-01-01T00:00:00Z', '2 days ago'],
    ['2026-01-02T23:00:00Z', '1 hour ago'],
    ['2020-01-02T23:00:00Z', '6 years ago'],
    ['2026-01-03T00:00:00Z', 'just now'],
    ['2027-01-03T00:00:00Z', 'in the future'],
    ['not a time', '-'],
    [undefined, '-'],
  ])('%s was %s', (iso, text) => expect(formatAge(iso, Date.parse('2026-01-03T00:00:00Z'))).toBe(text));

  it('lines columns up', () => {
    expect(
      formatTable([
        ['A', 'BB', 'C'],
        ['long', 'x', 'y'],
        ['', '', ''],
      ]),
    ).toBe('A     BB  C\nlong  x   y\n\n');
    expect(formatTable([])).toBe('');
  });
});

describe('what a terminal may see', () => {
  it.each([
    ['plain', 'plain'],
    ['\x1b[31mred\x1b[0m', 'red'],
    ['\x1b[2J\x1b[10;20H\x1b[?1049hx', 'x'],
    ['\x1b]0;title\x07x', 'x'],
    ['\x1b]52;c;aGk=\x1b\\x', 'x'],
    ['\x1b]0;never ends', ''],
    ['\x1bPdevice\x1b\\x', 'x'],
    ['\x1bcx\x1b(B\x1b7', 'x'],
    ['\x9b31mx', 'x'],
    ['a\x08\x00\x7f\x07b', 'ab'],
    ['\u202egnp.exe', 'gnp.exe'],
    ['a\tb', 'a    b'],
    [' 10%\r 50%\r100%', '100%'],
    ['windows\r', 'windows'],
    ['\x1b', ''],
    ['\x1b[', ''],
    ['\x1b\x1b[31mx', 'x'],
  ])('%j is %j', (line, text) => expect(cleanLine(line)).toBe(text));

  it('keeps colours where they are wanted, and ends them', () => {
    expect(cleanLine('\x1b[1;31mred\x1b[2J', { colour: true })).toBe('\x1b[1;31mred\x1b[0m');
    expect(cleanLine('\x1b]0;t\x07x', { colour: true })).toBe('x');
    expect(cleanLine('x\x1b[?25l\x1b[5m', { colour: true })).toBe('x\x1b[5m\x1b[0m');
    expect(cleanLine('\x1b[31m\x1b', { colour: true })).not.toMatch(/\x1b(?!\[[0-9;]*m)/);
  });

  it('cleans text line by line', () => expect(cleanText('a\x07\nb\x1b[1A')).toBe('a\nb'));
});

describe('lines', () => {
  it('come together from chunks', () => {
    const lines = new Lines();
    expect(lines.add('on')).toBe('');
    expect(lines.add('e\ntwo\nth')).toBe('one\ntwo\n');
    expect(lines.partial).toBe('th');
    expect(lines.end()).toBe('th\n');
    expect(lines.end()).toBe('');
  });

  it('are cut where they never end', () => {
    const lines = new Lines(4);
    expect(lines.add('abcdefghij')).toBe('abcd\nefgh\n');
    expect(lines.end()).toBe('ij\n');
  });
});

describe('width', () => {
  it.each([
    ['abc', 3],
    ['三番', 4],
    ['e\u0301', 1],
    ['👍', 2],
    ['…', 1],
    ['', 0],
  ])('of %s is %d', (text, width) => expect(widthOf(text)).toBe(width));

  it.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 5, 'abcd…'],
    ['三番目', 5, '三番…'],
    ['三番目', 4, '三…'],
    ['abc', 1, '…'],
    ['abc', 0, ''],
  ])('%s in %d columns is %s', (text, columns, out) => {
    expect(clip(text, columns)).toBe(out);
    expect(widthOf(out)).toBeLessThanOrEqual(columns);
  });
});
