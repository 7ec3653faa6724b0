import { expect, it } from 'vitest';
import { snippet } from '../../../../src/report/html/snippet.ts';

const range = (startLine: number, startColumn: number, endLine: number, endColumn: number) => ({
  ...{ file: 'Containerfile', startLine, startColumn, endLine, endColumn },
});
const marked = (markup: string): string[] =>
  [...markup.matchAll(/<mark>(.*?)<\/mark>/g)].map(([, text]) => text!);

it('a snippet marks the words in question, with two lines on each side', () => {
  const text = 'one\ntwo\nthree\nRUN a && \\\n  b\nsix\nseven\neight\n';
  const { markup } = snippet(range(4, 5, 5, 4), { Containerfile: text });
  expect(marked(markup)).toEqual(['a &amp;&amp; \\', '  b']);
  expect(markup).toContain('two\n');
  expect(markup).not.toContain('one\n');
  expect(markup).not.toContain('eight');
});

it('a snippet of a file that is not known says where alone', () => {
  expect(snippet(range(7, 1, 7, 2), {}).markup).toBe('<p class="where"><code>Containerfile:7</code></p>');
  expect(snippet({ ...range(7, 1, 7, 2), file: 'constructor' }, {}).markup).not.toContain('<pre');
});

it('a snippet shows no login, not even where the words in question cut through it', () => {
  const text = 'ADD https://me:hunter2@example.com/a /\n';
  const { markup } = snippet(range(1, 18, 1, 30), { Containerfile: text });
  expect(markup).not.toMatch(/hunter|nter2/);
  expect(marked(markup)).toEqual(['ADD https://****@example.com/a /']);
});

it('a snippet of a long instruction, and of a long line, is cut', () => {
  const text = `${'x'.repeat(5000)}\n`.repeat(100);
  const { markup } = snippet(range(1, 1, 100, 5001), { Containerfile: text });
  expect(markup.length).toBeLessThan(5000);
});
