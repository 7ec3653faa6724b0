import type { SourceRange } from '../../core/errors.ts';

/** A place as the reference's JSON has it: lines from 1, characters from 0, the end exclusive. */
export interface Location {
  readonly sourceIndex: 0;
  readonly ranges: readonly [{ readonly start: Position; readonly end: Position }];
}

interface Position {
  readonly line: number;
  readonly character: number;
}

export function locationOf({ startLine, startColumn, endLine, endColumn }: SourceRange): Location {
  const start = { line: startLine, character: startColumn - 1 };
  const end = { line: endLine, character: endColumn - 1 };
  return { sourceIndex: 0, ranges: [{ start, end }] };
}
