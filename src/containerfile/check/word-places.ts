import type { SourceRange } from '../../core/errors.ts';
import type { VariableUse } from '../expand.ts';
import type { Heredoc, Word } from '../types.ts';

/** A word, or the body of a heredoc as one. */
export interface ReadText extends Word {
  readonly heredoc?: Heredoc;
}

/** The place of a variable in its word, where the word stands in one piece as it is written. */
export function rangeIn({ text, range, heredoc }: ReadText, { start, end }: VariableUse): SourceRange {
  if (heredoc !== undefined) return bodyRange(heredoc, start, end);
  const { startLine, startColumn, endLine, endColumn } = range;
  if (startLine !== endLine || endColumn - startColumn !== text.length) return range;
  return { ...range, startColumn: startColumn + start, endColumn: startColumn + end };
}

/** The place of a part of a heredoc's body; its lines alone where leading tabs were stripped. */
export function bodyRange(heredoc: Heredoc, start: number, end: number): SourceRange {
  const { range, chomp } = heredoc;
  const first = lineAt(heredoc, start);
  const last = lineAt(heredoc, end);
  const [startLine, endLine] = [range.startLine + first.index, range.startLine + last.index];
  if (chomp) return { ...range, startLine, startColumn: 1, endLine: endLine + 1, endColumn: 1 };
  return {
    ...range,
    startLine,
    startColumn: start - first.offset + 1,
    endLine,
    endColumn: end - last.offset + 1,
  };
}

/** Offsets of the lines of each body, so that many places in a long one cost no more than one pass over it. */
const lineOffsets = new WeakMap<Heredoc, readonly number[]>();

function lineAt(heredoc: Heredoc, at: number): { readonly index: number; readonly offset: number } {
  const known = lineOffsets.get(heredoc);
  const offsets = known ?? [0, ...[...heredoc.content.matchAll(/\n/g)].map(({ index }) => index + 1)];
  if (known === undefined) lineOffsets.set(heredoc, offsets);
  let low = 0;
  for (let high = offsets.length - 1; low < high; ) {
    const middle = (low + high + 1) >> 1;
    if (offsets[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return { index: low, offset: offsets[low]! };
}
