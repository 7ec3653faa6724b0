import type { SourceRange } from '../core/errors.ts';

/** A file that says what is to be built. */
export interface BakeFile {
  /** As messages call it. */
  readonly name: string;
  readonly text: string;
}

/** Where in a file characters stand. */
export type Locate = (start: number, end: number) => SourceRange;

export function locateIn({ name, text }: BakeFile): Locate {
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const lineOf = (at: number): number => countUpTo(starts, at);
  return (start, end) => {
    const [startLine, endLine] = [lineOf(start), lineOf(Math.max(start, end))];
    return {
      file: name,
      startLine,
      startColumn: start - starts[startLine - 1]! + 1,
      endLine,
      endColumn: Math.max(start, end) - starts[endLine - 1]! + 1,
    };
  };
}

/** How many of the sorted numbers are no greater than `most`. */
function countUpTo(sorted: readonly number[], most: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}
