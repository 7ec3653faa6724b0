import { BuildError, errnoOf, writingFailed } from '../src/core/errors.ts';

/** Takes a sentence about something in the store that could not be used; the build goes on without it. */
export type OnWarning = (text: string) => void;

/**
 * What the file system's errors mean to a user: a full disk and a store that cannot be written are theirs to mend,
 * everything else stays as it is.
 */
export function storeError(error: unknown): unknown {
  if (error instanceof BuildError) return error;
  if (errnoOf(error) !== 'EACCES') return writingFailed(error) ?? error;
  return new BuildError('store', 'the store cannot be written (EACCES)', {
    cause: error,
    hint: 'Check the permissions of the store, or choose another one with --root or TSBUILD_ROOT.',
  });
}

/** Runs `task`; its file system errors come out as `storeError` sees them. */
export async function guarded<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    throw storeError(error);
  }
}
