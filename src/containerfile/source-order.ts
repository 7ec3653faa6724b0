import type { BuildError, SourceRange } from '../core/errors.ts';
import type { Warning } from './types.ts';

/** Whether `a` begins above `b`, or left of it on the same line, in the same file. */
export function isBefore(a: SourceRange, b: SourceRange): boolean {
  if (a.file !== b.file) return false;
  return a.startLine < b.startLine || (a.startLine === b.startLine && a.startColumn < b.startColumn);
}

/** Something that may have a place. */
interface Placed {
  readonly location?: SourceRange | undefined;
}

/** Errors or warnings by file (`files` in the order they were read) and place; those without a place last. */
export function inFileOrder<T extends Placed>(found: readonly T[], files: readonly string[]): T[] {
  const order = new Map(files.map((file, i) => [file, i] as const));
  const rank = ({ location }: T): number =>
    location === undefined ? files.length : (order.get(location.file) ?? files.length);
  return [...found].sort((a, b) => {
    const byFile = rank(a) - rank(b);
    if (byFile !== 0 || a.location === undefined || b.location === undefined) return byFile;
    return a.location.startLine - b.location.startLine || a.location.startColumn - b.location.startColumn;
  });
}

/**
 * Errors or warnings, those of the same words about the same place once: what holds for every platform is found for
 * each.
 */
export function eachOnce<T extends BuildError | Warning>(found: readonly T[]): Iterable<T> {
  const keyOf = (one: BuildError | Warning): string =>
    JSON.stringify(['text' in one ? one.text : one.message, one.location]);
  return new Map(found.map((one) => [keyOf(one), one])).values();
}
