import { isList, numberOf, textOf, toJson, truthOf, type Value } from '../hcl/value.ts';
import { unfit } from './function.ts';

/** One `%…` of a pattern. */
interface Verb {
  readonly written: string;
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly letter: string;
}

const verbs = /%(%|([ +\-0#]*)(\d*)(?:\.(\d+))?(?:\[(\d+)\])?([a-zA-Z]))/g;

/** Puts values in a pattern as printf does: `%s`, `%5.2f`, `%-8v`, `%[1]d`. Fails with `parse`. */
export function format(pattern: string, values: readonly Value[]): string {
  let next = 0;
  let most = 0;
  let isIndexed = false;
  const text = pattern.replace(verbs, (...match: readonly (string | undefined)[]) => {
    const [written = '', percent, flags = '', width = '', precision, index, letter = ''] = match;
    if (percent === '%') return '%';
    if (index !== undefined) isIndexed = true;
    const at = index === undefined ? next : Number(index) - 1;
    next = at + 1;
    most = Math.max(most, next);
    const value = values[at];
    if (value === undefined) throw unfit(`the format has no value for ${written}`);
    const wanted = precision === undefined ? undefined : Number(precision);
    return shown(value, { written, flags, width: Number(width), precision: wanted, letter });
  });
  if (!isIndexed && most < values.length)
    throw unfit(`the format takes ${most} values, and ${values.length} are given`);
  return text;
}

/** The same for each element of the lists among the values; what is no list counts for all. */
export function formatList(pattern: string, values: readonly Value[]): readonly Value[] {
  const lengths = values.filter(isList).map(({ length }) => length);
  const [length = 1] = lengths;
  if (lengths.some((other) => other !== length)) throw unfit('the lists have different lengths');
  return Array.from({ length }, (_, i) =>
    format(
      pattern,
      values.map((value) => (isList(value) ? value[i]! : value)),
    ),
  );
}

function shown(value: Value, verb: Verb): string {
  if (value === null && verb.letter !== 'v') throw unfit(`${verb.written} cannot show null`);
  switch (verb.letter) {
    case 'v':
      return padded(asItIs(value, verb), verb);
    case 't':
      return String(truthOf(value));
    case 's':
      return padded(cut(textOf(value), verb), verb);
    case 'q':
      return padded(JSON.stringify(cut(textOf(value), verb)), verb);
    default:
      return paddedNumber(numberText(numberOf(value), verb), verb);
  }
}

function asItIs(value: Value, { flags }: Verb): string {
  const isPlain = typeof value === 'string' || typeof value === 'number';
  return isPlain && !flags.includes('#') ? textOf(value) : JSON.stringify(toJson(value));
}

function cut(text: string, { precision }: Verb): string {
  return precision === undefined ? text : [...text].slice(0, precision).join('');
}

const bases: Readonly<Record<string, number>> = { b: 2, o: 8, d: 10, x: 16, X: 16 };

function numberText(value: number, { written, letter, precision }: Verb): string {
  const base = bases[letter];
  if (base !== undefined) {
    if (!Number.isInteger(value)) throw unfit(`${written} shows whole numbers, not ${value}`);
    const digits = value.toString(base);
    return letter === 'X' ? digits.toUpperCase() : digits;
  }
  if (letter === 'f') return value.toFixed(precision ?? 6);
  const short =
    letter === 'e' || letter === 'E' ? exponential(value, precision ?? 6) : general(value, precision);
  if (!/^[eEgG]$/.test(letter)) throw unfit(`a format does not know ${written}`);
  return letter === letter.toUpperCase() ? short.toUpperCase() : short;
}

function exponential(value: number, precision: number): string {
  return value.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2');
}

function general(value: number, precision: number | undefined): string {
  const text =
    precision === undefined ? textOf(value) : String(Number(value.toPrecision(Math.max(1, precision))));
  return text;
}

function paddedNumber(text: string, verb: Verb): string {
  const { flags, width } = verb;
  const sign = text.startsWith('-') ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  const digits = text.replace(/^-/, '');
  if (flags.includes('0') && !flags.includes('-')) return sign + digits.padStart(width - sign.length, '0');
  return padded(sign + digits, verb);
}

function padded(text: string, { flags, width }: Verb): string {
  const missing = Math.max(0, width - [...text].length);
  return flags.includes('-') ? text + ' '.repeat(missing) : ' '.repeat(missing) + text;
}
