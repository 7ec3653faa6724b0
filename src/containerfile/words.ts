import { scanned } from './work.ts';

/** A part of a logical line: offsets, the end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Words between blanks; quotes mean nothing. */
export function blankWords(text: string, from: number): Span[] {
  const words: Span[] = [];
  for (let at = skipBlanks(text, from); at < text.length; ) {
    const start = at;
    while (at < text.length && !isBlank(text[at]!)) at++;
    scanned(at - start);
    words.push({ start, end: at });
    at = skipBlanks(text, at);
  }
  return words;
}

/** Words of ENV, LABEL and ARG: quotes and escapes keep blanks inside, and stay in the word (§1.2). */
export function quotedWords(text: string, from: number, escapeWith: string): Span[] {
  scanned(text.length - from);
  const words: Span[] = [];
  let start = -1;
  let quote = '';
  for (let i = from; i < text.length; i++) {
    const character = text[i]!;
    if (quote === '' && isBlank(character)) {
      if (start >= 0) words.push({ start, end: i });
      start = -1;
      continue;
    }
    if (start < 0) start = i;
    if (character === escapeWith && quote !== "'") i++;
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = '';
  }
  if (start >= 0) words.push({ start, end: text.length });
  return words;
}

/** A leading `--name[=value]`; quotes and backslashes of the flag itself are taken off. */
export interface Flag extends Span {
  readonly name: string;
  readonly value: string | undefined;
}

/** Reads leading flags; a bare `--` ends them. `rest` is the offset of the first argument. */
export function leadingFlags(text: string, from: number): { readonly flags: Flag[]; readonly rest: number } {
  const flags: Flag[] = [];
  let at = skipBlanks(text, from);
  while (text.startsWith('--', at)) {
    const word = flagWord(text, at);
    if (word.plain === '--') return { flags, rest: skipBlanks(text, word.end) };
    flags.push({ ...nameAndValue(word.plain), start: at, end: word.end });
    at = skipBlanks(text, word.end);
  }
  return { flags, rest: at };
}

/** As `\s` of a regular expression has it. */
export function isBlank(character: string): boolean {
  if (character > ' ' && character < '\x7f') return false;
  return character === ' ' || character === '\t' || /\s/.test(character);
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text[at]!)) at++;
  scanned(at - from + 1);
  return at;
}

function nameAndValue(word: string): { name: string; value: string | undefined } {
  const equals = word.indexOf('=');
  if (equals < 0) return { name: word.slice(2), value: undefined };
  return { name: word.slice(2, equals), value: word.slice(equals + 1) };
}

function flagWord(text: string, from: number): { readonly plain: string; readonly end: number } {
  let plain = '';
  let quote = '';
  let at = from;
  for (; at < text.length; at++) {
    const character = text[at]!;
    if (quote === '' && isBlank(character)) break;
    if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === '\\') plain += text[++at] ?? '';
    else plain += character;
  }
  scanned(at - from);
  return { plain, end: Math.min(at, text.length) };
}
