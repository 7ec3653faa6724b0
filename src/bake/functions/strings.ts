import { listOf, numberOf, textOf, type Value } from '../hcl/value.ts';
import { format, formatList } from './format.ts';
import { type Functions, MANY, type StandardFunction, unfit } from './function.ts';

/** Work on texts. Lengths count what people see as one character. */
export const stringFunctions: Functions = {
  basename: text((path) => path.replace(/\/+$/, '').replace(/^.*\//s, '') || (path === '' ? '.' : '/')),
  byteslen: text((bytes) => Buffer.byteLength(bytes)),
  bytesslice: [3, 3, (bytes, from, count) => bytesOf(textOf(bytes!), numberOf(from!), numberOf(count!))],
  chomp: text((line) => line.replace(/[\r\n]+$/, '')),
  dirname: text(folderOf),
  format: [1, MANY, (pattern, ...args) => format(textOf(pattern!), args)],
  formatlist: [1, MANY, (pattern, ...args) => formatList(textOf(pattern!), args)],
  indent: [2, 2, (count, lines) => textOf(lines!).replaceAll('\n', `\n${' '.repeat(numberOf(count!))}`)],
  join: [2, MANY, (separator, ...lists) => lists.flatMap(listOf).map(textOf).join(textOf(separator!))],
  lower: text((word) => word.toLowerCase()),
  upper: text((word) => word.toUpperCase()),
  title: text((words) =>
    words.replace(
      /(^|[^\p{L}\p{N}_'])(\p{L})/gu,
      (_, before: string, letter: string) => before + letter.toUpperCase(),
    ),
  ),
  replace: [3, 3, (whole, part, other) => textOf(whole!).replaceAll(textOf(part!), () => textOf(other!))],
  reverse: text((word) => charactersOf(word).reverse().join('')),
  sanitize: text((name) => [...name].map((letter) => (/[a-zA-Z0-9_-]/.test(letter) ? letter : '_')).join('')),
  split: [2, 2, (separator, whole) => textOf(whole!).split(textOf(separator!))],
  strlen: text((word) => charactersOf(word).length),
  substr: [
    3,
    3,
    (word, from, count) => partOf(charactersOf(textOf(word!)), numberOf(from!), numberOf(count!)),
  ],
  trim: [2, 2, (word, set) => trimmed(textOf(word!), textOf(set!))],
  trimprefix: [2, 2, (word, prefix) => withoutPrefix(textOf(word!), textOf(prefix!))],
  trimsuffix: [2, 2, (word, suffix) => withoutSuffix(textOf(word!), textOf(suffix!))],
  trimspace: text((word) => word.trim()),
};

function text(apply: (text: string) => Value): StandardFunction {
  return [1, 1, (value) => apply(textOf(value!))];
}

function charactersOf(word: string): string[] {
  return [...new Intl.Segmenter().segment(word)].map(({ segment }) => segment);
}

/** A negative begin counts from the end, a negative length reaches to the end. */
function partOf(characters: readonly string[], from: number, count: number): string {
  const start = from < 0 ? Math.max(0, characters.length + from) : from;
  return characters.slice(start, count < 0 ? undefined : start + count).join('');
}

function bytesOf(whole: string, from: number, count: number): string {
  const bytes = Buffer.from(whole);
  if (from < 0 || count < 0 || from + count > bytes.length)
    throw unfit(`there are ${bytes.length} bytes, and not ${count} from ${from} on`);
  return bytes.subarray(from, from + count).toString();
}

function folderOf(path: string): string {
  const at = path.lastIndexOf('/');
  if (at < 0) return '.';
  return path.slice(0, at).replace(/\/+$/, '') || '/';
}

function trimmed(word: string, set: string): string {
  const letters = [...word];
  const isKept = (letter: string): boolean => !set.includes(letter);
  const [first, last] = [letters.findIndex(isKept), letters.findLastIndex(isKept)];
  return first < 0 ? '' : letters.slice(first, last + 1).join('');
}

function withoutPrefix(word: string, prefix: string): string {
  return word.startsWith(prefix) ? word.slice(prefix.length) : word;
}

function withoutSuffix(word: string, suffix: string): string {
  return suffix !== '' && word.endsWith(suffix) ? word.slice(0, -suffix.length) : word;
}
