import { BuildError } from '../core/errors.ts';
import { bare, type LogicalLine, lineRange, rangeOf, type SourceText } from './lines.ts';
import type { CommandLine, Heredoc } from './types.ts';
import { isBlank, type Span } from './words.ts';
import { scanned } from './work.ts';

/** A heredoc and the place of its `<<NAME` in the logical line. */
export interface PlacedHeredoc extends Heredoc {
  readonly opening: Span;
}

interface Opening extends Span {
  readonly name: string;
  readonly fd: number;
  readonly expand: boolean;
  readonly chomp: boolean;
}

/** What a shell-form command hands to its shell. */
export type Script =
  /** One argument after the shell's own. */
  | { readonly kind: 'argument'; readonly text: string }
  /** The same, of a command that is nothing but a heredoc. */
  | { readonly kind: 'body'; readonly text: string }
  /** A body that begins with `#!`: a file `/dev/pipes/<name>`, mode 0755, whose path is the argument (§1.3). */
  | { readonly kind: 'file'; readonly name: string; readonly content: string };

/** Turns a shell-form command with its heredocs into what is run. */
export function scriptOf(command: Extract<CommandLine, { form: 'shell' }>): Script {
  const [first, ...others] = command.heredocs;
  if (first === undefined) return { kind: 'argument', text: command.text };
  if (others.length === 0 && isOnlyHeredoc(command.text)) {
    const { name, content } = first;
    return content.startsWith('#!') ? { kind: 'file', name, content } : { kind: 'body', text: content };
  }
  return { kind: 'argument', text: command.text + withBodies(command.heredocs) };
}

/** How the body of a command that is nothing but a heredoc begins: ` (set -e...)`; empty for every other command. */
export function beginningOf(command: CommandLine): string {
  if (command.form === 'exec') return '';
  const script = scriptOf(command);
  if (script.kind === 'argument') return '';
  const text = (script.kind === 'file' ? script.content : script.text).trim();
  const [first = ''] = text.split(/\r?\n/, 1);
  if (first === '') return '';
  return first === text ? ` (${first})` : ` (${first}...)`;
}

/** The bodies as they follow their line when the text is written out again. */
export function withBodies(heredocs: readonly Heredoc[]): string {
  return heredocs.map(({ written, name }) => `\n${written}${name}`).join('');
}

/** Reads the bodies of the heredocs that a line opens, in order; `next` is the first line after them. */
export function readHeredocs(
  source: SourceText,
  line: LogicalLine,
  from: number,
): { readonly heredocs: PlacedHeredoc[]; readonly next: number } {
  const heredocs: PlacedHeredoc[] = [];
  let next = line.next;
  for (const opening of openings(line.text, from)) {
    const heredoc = readBody(source, line, opening, next);
    heredocs.push(heredoc);
    next = heredoc.range.endLine;
  }
  return { heredocs, next };
}

function readBody(source: SourceText, line: LogicalLine, opening: Opening, from: number): PlacedHeredoc {
  const { name, fd, expand, chomp, start, end } = opening;
  let content = '';
  let written = '';
  for (let at = from; at < source.lines.length; at++) {
    const text = bare(source.lines[at]!);
    scanned(text.length);
    if ((chomp ? text.replace(/^\t+/, '') : text) === name) {
      const range = { ...lineRange(source, at), startLine: from + 1, startColumn: 1 };
      return { name, fd, expand, chomp, content, written, range, opening: { start, end } };
    }
    written += source.lines[at]!;
    content += chomp ? source.lines[at]!.replace(/^\t+/, '') : source.lines[at]!;
  }
  throw new BuildError('parse', `unterminated heredoc: no line is exactly ${name}`, {
    location: rangeOf(line, start, end),
    hint: `End the text with a line that holds nothing but ${name}; a blank must follow <<${name} on its line.`,
  });
}

/** The heredocs that a line opens: none where a quote on the line is not closed, as in the reference. */
function openings(text: string, from: number): Opening[] {
  const words = shellWords(text, from);
  return words?.flatMap((word) => openingOf(text, word) ?? []) ?? [];
}

function isOnlyHeredoc(text: string): boolean {
  const words = shellWords(text, 0) ?? [];
  return words.length === 1 && openingOf(text, words[0]!) !== undefined;
}

/** `[n]<<[-]NAME`, where NAME may be quoted wholly or in part; quotes of any kind switch expansion off. */
function openingOf(text: string, word: Span): Opening | undefined {
  scanned(word.end - word.start);
  const match = /^(\d*)<<(?:(-)\s*|\s+|(?!-))([^<\s][^<]*)$/.exec(text.slice(word.start, word.end));
  if (match === null) return undefined;
  const delimiter = unquoted(match[3]!);
  if (delimiter.name === '') return undefined;
  return {
    name: delimiter.name,
    fd: Number(match[1] || 0),
    expand: !delimiter.quoted,
    chomp: match[2] === '-',
    ...word,
  };
}

function unquoted(word: string): { name: string; quoted: boolean } {
  let name = '';
  let quote = '';
  let quoted = false;
  for (let i = 0; i < word.length; i++) {
    const character = word[i]!;
    if (quote === '' && character === '\\') name += word[++i] ?? '';
    else if (quote === '"' && character === '\\' && /["$\\]/.test(word[i + 1] ?? '')) name += word[++i];
    else if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) {
      quote = character;
      quoted = true;
    } else name += character;
  }
  return { name, quoted };
}

/**
 * Words as a shell sees them, with two exceptions: blanks after `<<` belong to the word (`<< EOF`), and an arithmetic
 * expansion is one piece (its `<<` is a shift). Undefined when a quote stays open.
 */
function shellWords(text: string, from: number): Span[] | undefined {
  scanned(text.length - from);
  const lastClose = text.lastIndexOf('))');
  const words: Span[] = [];
  let start = -1;
  let at = from;
  while (at < text.length) {
    if (isBlank(text[at]!)) {
      if (start >= 0) words.push({ start, end: at });
      start = -1;
      at++;
      continue;
    }
    if (start < 0) start = at;
    at = afterPiece(text, at, lastClose);
    if (at < 0) return undefined;
  }
  if (start >= 0) words.push({ start, end: text.length });
  return words;
}

/** The offset after the quoted, escaped, arithmetic or plain piece at `at`; -1 for an open quote. */
function afterPiece(text: string, at: number, lastClose: number): number {
  const character = text[at]!;
  if (character === "'") return text.indexOf("'", at + 1) < 0 ? -1 : text.indexOf("'", at + 1) + 1;
  if (character === '"') return afterDoubleQuote(text, at);
  if (character === '\\') return Math.min(at + 2, text.length);
  if (text.startsWith('$((', at)) return lastClose < at ? at + 3 : text.indexOf('))', at) + 2;
  if (!text.startsWith('<<', at)) return at + 1;
  const opening = /<<-?\s*/y;
  opening.lastIndex = at;
  return opening.exec(text)![0].length + at;
}

function afterDoubleQuote(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i + 1;
  }
  return -1;
}
