import { BuildError, type BuildErrorDetails } from '../core/errors.ts';

/** Targets that a matrix may make: one that makes more was written to be large. */
export const MOST_COMBINATIONS = 10_000;

/** Fails with `parse` where a file asks for more than there is room for: it may be a stranger's. */
export async function withinBounds<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw tooLarge('the files nest too deeply, or make a text that is too long', { cause: error });
  }
}

export function tooLarge(message: string, details: BuildErrorDetails): BuildError {
  return new BuildError('parse', message, { hint: 'No build needs so much.', ...details });
}
