import { BuildError } from '../core/errors.ts';

/** Whether a source of COPY or ADD is an address, by how it begins, and no path. */
export function isUrl(source: string): boolean {
  return /^(?:https?|ftp|git|ssh):\/\/|^git@/.test(source);
}

/** COPY takes files alone. */
export function urlForCopy(): BuildError {
  return new BuildError('context', "source can't be a URL for COPY", {
    hint: 'ADD takes it, or a RUN downloads it.',
  });
}
