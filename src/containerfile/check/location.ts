import type { SourceRange } from '../../core/errors.ts';

/** A place as the reference's JSON has it: lines from 1, characters from 0, the end exclusive. */
export interface Location {
  /** Of the files that were read, the Containerfile first. */
  readonly sourceIndex: number;
  readonly ranges: readonly [{ readonly start: Position; readonly end: Position }];
}

interface Position {
  readonly line: number;
  readonly character: number;
}

/** A range among the files that were read. */
export function locationOf(range: SourceRange, files: readonly string[]): Location {
  const start = { line: range.startLine, character: range.startColumn - 1 };
  const end = { line: range.endLine, character: range.endColumn - 1 };
  return { sourceIndex: Math.max(0, files.indexOf(range.file)), ranges: [{ start, end }] };
}
