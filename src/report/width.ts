/** How many columns of a terminal text takes: wide East Asian characters and emoji two, combining marks none. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

/** Cuts text to so many columns; what was cut shows as `…`. */
export function clip(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  if (columns < 1) return '';
  let width = 0;
  let out = '';
  for (const character of text) {
    width += widthOfCharacter(character);
    if (width > columns - 1) break;
    out += character;
  }
  return `${out}…`;
}

/** Ends lines between words so that each fits; a word that is longer stays whole. */
export function wrap(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => (widthOf(line) <= columns ? line : wrapLine(line, columns)))
    .join('\n');
}

function wrapLine(line: string, columns: number): string {
  let out = '';
  let width = 0;
  for (const word of line.split(' ')) {
    const more = widthOf(word) + 1;
    const fits = width === 0 || width + more <= columns;
    out += width === 0 ? word : `${fits ? ' ' : '\n'}${word}`;
    width = width === 0 || !fits ? more - 1 : width + more;
  }
  return out;
}

function widthOfCharacter(character: string): number {
  if (/^[\p{Mn}\p{Me}\p{Cf}]$/u.test(character)) return 0;
  const code = character.codePointAt(0)!;
  return wide.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1faff],
  [0x20000, 0x3fffd],
];
