import { BuildError, type SourceRange } from '../core/errors.ts';

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
  /** Indexes of empty lines inside the continuation. */
  readonly emptyLines: readonly number[];
  /** Index of the first physical line after it. */
  readonly next: number;
}

/** Splits a file into lines. Columns count UTF-16 units and ignore a byte order mark. */
export function sourceText(text: string, file: string): SourceText {
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const lines = plain.split('\n').map((line, i, all) => (i < all.length - 1 ? `${line}\n` : line));
  if (lines.at(-1) === '') lines.pop();
  return { file, text: plain, lines };
}

/** A line without its line ending. */
export function bare(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === '\n' || line[end - 1] === '\r')) end--;
  return line.slice(0, end);
}

/** True for a line whose first visible character is `#`. */
export function isComment(line: string): boolean {
  return /^\s*#/.test(line);
}

/**
 * Reads the logical line that starts at physical line `at`: leading blanks of the first line go, those of
 * continuation lines stay (§1.2).
 */
export function logicalLine(source: SourceText, at: number, escapeWith: string): LogicalLine {
  const pieces: Piece[] = [];
  const emptyLines: number[] = [];
  const ending = continuationEnding(escapeWith);
  const parts: string[] = [];
  let length = 0;
  let line = at;
  for (let open = true; open && line < source.lines.length; line++) {
    const whole = bare(source.lines[line]!);
    if (line > at && isComment(whole)) continue;
    if (line > at && whole.trim() === '') {
      emptyLines.push(line);
      continue;
    }
    const column = line === at ? whole.length - whole.trimStart().length : 0;
    const ended = whole.slice(column).replace(ending, '$1');
    open = ended.length < whole.length - column;
    pieces.push({ at: length, line, column, length: ended.length });
    parts.push(ended);
    length += ended.length;
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

/** The escape character as a line's last visible one, unless another stands before it. */
function continuationEnding(escapeWith: string): RegExp {
  const character = escapeWith === '\\' ? '\\\\' : escapeWith;
  return new RegExp(`(^|[^${character}])${character}[ \\t]*$`);
}

/** Joins the parts of a line; where blanks stood between two of them, one stays. */
function displayOf(parts: readonly string[]): string {
  const shown: string[] = [];
  let blank = false;
  for (const part of parts) {
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
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (line.pieces[middle]!.at <= offset) low = middle;
    else high = middle - 1;
  }
  return line.pieces[low] ?? { at: 0, line: 0, column: 0, length: 0 };
}
