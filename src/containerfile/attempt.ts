import { BuildError, type SourceRange } from '../core/errors.ts';

/** Runs one step of reading and keeps its error, placed where the step knows no better. */
export function attempt<Result>(
  errors: BuildError[],
  step: () => Result,
  location?: SourceRange,
): Result | undefined {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    errors.push(location === undefined ? error : error.at(location));
    return undefined;
  }
}
