import type { Reading } from './reading.ts';

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' };

/** What stands between quotes, as the text that it means. */
export function unquoted(text: string): string {
  return unmarked(
    text.replace(/\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))/g, (whole, short, long, letter) => {
      const code: string | undefined = short ?? long;
      if (code === undefined) return escapes[letter as string] ?? whole;
      const point = Number.parseInt(code, 16);
      return point > 0x10ffff ? whole : String.fromCodePoint(point);
    }),
  );
}

/** `$${` and `%%{` stand for `${` and `%{`. */
export function unmarked(text: string): string {
  return text.replace(/\$\$\{/g, '${').replace(/%%\{/g, '%{');
}

/** Characters that every line begins with. */
export function commonIndent(text: string): number {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.length === 0 ? 0 : Math.min(...lines.map((line) => line.length - line.trimStart().length));
}

/** Lines without their indentation. Only what begins a line has one. */
export function withoutIndent(
  text: string,
  at: number,
  { indent, reading }: { readonly indent: number; readonly reading: Reading },
): string {
  const begins = reading.text[at - 1] === '\n';
  return text
    .split('\n')
    .map((line, i) => (i === 0 && !begins ? line : line.slice(indent)))
    .join('\n');
}
