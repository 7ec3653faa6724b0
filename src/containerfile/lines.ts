import { BuildError, type SourceRange } from '../core/errors.ts';
import { scanned } from './work.ts';

/** Longest physical line in bytes, as the reference parser has it. */
const MAX_LINE_BYTES = 65_535;

/** A text taken apart into physical lines; each keeps its line ending. */
export interface SourceText {
  readonly file: string;
  /** The text without a byte order mark. */
  readonly text: string;
  readonly lines: readonly string[];
}

/** Part of a logical line that stands on one physical line. */
interface Piece {
  /** Offset of its first character in the logical line. */
  readonly at: number;
  /** Index of the physical line, from 0. */
  readonly line: number;
  /** Offset in the physical line, from 0. */
  readonly column: number;
  readonly length: number;
}

/** Physical lines joined by continuations, comments and empty lines among them dropped. */
export interface LogicalLine {
  readonly file: string;
  readonly text: string;
  readonly pieces: readonly Piece[];
  /** The text as people read it: the indentation of continuation lines is one blank. */
  readonly display: string;
  /** Empty lines inside the continuation. */
  readonly emptyLines: readonly SourceRange[];
  /** Index of the first physical line after it. */
  readonly next: number;
}

/** Splits a file into lines. Columns count UTF-16 units and ignore a byte order mark. */
export function sourceText(text: string, file: string): SourceText {
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const lines: string[] = [];
  for (let at = 0; at < plain.length; ) {
    const end = plain.indexOf('\n', at);
    const next = end < 0 ? plain.length : end + 1;
    lines.push(plain.slice(at, next));
    at = next;
  }
  scanned(plain.length);
  return { file, text: plain, lines };
}

/** A line without its ending. */
export function bare(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === '\n' || line[end - 1] === '\r')) end--;
  scanned(line.length - end + 1);
  return line.slice(0, end);
}

/** True for a line whose first visible character is `#`. */
export function isComment(line: string): boolean {
  return line[firstVisible(line)] === '#';
}

/** True for a line without a visible character. */
export function isEmpty(line: string): boolean {
  return firstVisible(line) < 0;
}

/**
 * Reads the logical line that starts at physical line `at`: leading blanks of the first line go, those of
 * continuation lines stay (§1.2).
 */
export function logicalLine(source: SourceText, at: number, escapeWith: string): LogicalLine {
  const pieces: Piece[] = [];
  const emptyLines: SourceRange[] = [];
  const parts: string[] = [];
  let length = 0;
  let line = at;
  for (let open = true; open && line < source.lines.length; line++) {
    const whole = bare(source.lines[line]!);
    const visible = firstVisible(whole);
    if (line > at && visible < 0) emptyLines.push(lineRange(source, line));
    if (line > at && (visible < 0 || whole[visible] === '#')) continue;
    const column = line > at ? 0 : visible < 0 ? whole.length : visible;
    const end = continuationAt(whole, escapeWith);
    open = end >= column;
    const part = whole.slice(column, open ? end : whole.length);
    pieces.push({ at: length, line, column, length: part.length });
    parts.push(part);
    length += part.length;
  }
  const text = parts.join('');
  return { file: source.file, text, pieces, display: displayOf(parts), emptyLines, next: line };
}

/** Where the part `start`..`end` (exclusive) of a logical line stands in the file. */
export function rangeOf(line: LogicalLine, start: number, end: number): SourceRange {
  const first = pieceAt(line, start);
  const last = end > start ? pieceAt(line, end - 1) : first;
  return {
    file: line.file,
    startLine: first.line + 1,
    startColumn: first.column + Math.min(start - first.at, first.length) + 1,
    endLine: last.line + 1,
    endColumn: last.column + Math.min(Math.max(end, start) - last.at, last.length) + 1,
  };
}

/** The visible part of one physical line. */
export function lineRange(source: SourceText, line: number): SourceRange {
  const whole = bare(source.lines[line] ?? '');
  scanned(whole.length);
  const indent = whole.trim() === '' ? 0 : whole.length - whole.trimStart().length;
  return {
    file: source.file,
    startLine: line + 1,
    startColumn: indent + 1,
    endLine: line + 1,
    endColumn:
      whole.trimEnd().length + 1 > indent ? Math.max(whole.trimEnd().length, indent) + 1 : indent + 1,
  };
}

/** A part of one physical line. */
export function spanRange(
  { file }: SourceText,
  line: number,
  span: { readonly start: number; readonly end: number },
): SourceRange {
  const number = line + 1;
  return { file, startLine: number, startColumn: span.start + 1, endLine: number, endColumn: span.end + 1 };
}

/** An error for every line that is longer than the reference allows, be it a comment. */
export function tooLongLines(source: SourceText): BuildError[] {
  return source.lines.flatMap((whole, line) => {
    if (whole.length * 3 <= MAX_LINE_BYTES || Buffer.byteLength(bare(whole)) <= MAX_LINE_BYTES) return [];
    const message = `line ${line + 1} is longer than the ${MAX_LINE_BYTES} bytes that a line may have`;
    const location = spanRange(source, line, { start: 0, end: 1 });
    return [new BuildError('parse', message, { location, hint: 'Break it into several lines.' })];
  });
}

/** Offset of the first visible character, or -1. */
function firstVisible(line: string): number {
  const at = line.search(/\S/);
  scanned(at < 0 ? line.length : at + 1);
  return at;
}

/** Offset of the escape character that continues a line: its last visible one, unless another stands before it; or -1. */
function continuationAt(line: string, escapeWith: string): number {
  let at = line.length - 1;
  while (at >= 0 && (line[at] === ' ' || line[at] === '\t')) at--;
  scanned(line.length - at);
  return line[at] === escapeWith && line[at - 1] !== escapeWith ? at : -1;
}

/** Joins the parts of a line; where blanks stood between two of them, one stays. */
function displayOf(parts: readonly string[]): string {
  if (parts.length === 1) return parts[0]!.trim();
  const shown: string[] = [];
  let blank = false;
  for (const part of parts) {
    scanned(part.length);
    const text = part.trim();
    blank ||= /^\s/.test(part);
    if (text === '') continue;
    shown.push(blank && shown.length > 0 ? ` ${text}` : text);
    blank = /\s/.test(part.slice(-1));
  }
  return shown.join('');
}

function pieceAt(line: LogicalLine, offset: number): Piece {
  let low = 0;
  let high = line.pieces.length - 1;
  scanned(1);
  while (low < high) {
    scanned(1);
    const middle = (low + high + 1) >> 1;
    if (line.pieces[middle]!.at <= offset) low = middle;
    else high = middle - 1;
  }
  return line.pieces[low] ?? { at: 0, line: 0, column: 0, length: 0 };
}
