import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BuildError, errnoOf } from '../../src/core/errors.ts';
import { readPlainText, readText } from '../../src/core/text-file.ts';
import { checkInside } from './inside.ts';

export interface IgnoreQuery {
  /** Absolute path of the context folder. */
  readonly folder: string;
  /** Absolute path of the Containerfile, where it is a file. */
  readonly containerfile?: string;
  /** `--ignorefile`. */
  readonly override?: string;
}

export interface IgnoreFile {
  readonly path: string;
  readonly text: string;
}

/**
 * The ignore file that applies to a local context: the one asked for, else `<Containerfile>.dockerignore` beside the
 * Containerfile, else `.containerignore`, else `.dockerignore` at the root of the context. Undefined where none
 * exists; the one asked for must exist (`not-found`), and one found in the context must not lead out of it (`context`).
 */
export function findIgnoreFile({ folder, containerfile, override }: IgnoreQuery): IgnoreFile | undefined {
  if (override !== undefined) {
    const text = readIfThere(override, readText);
    if (text !== undefined) return { path: override, text };
    throw new BuildError('not-found', `the ignore file ${override} does not exist`, {
      hint: 'Check the path given to --ignorefile.',
    });
  }
  const beside = containerfile === undefined ? [] : [`${containerfile}.dockerignore`];
  const candidates = [...beside, join(folder, '.containerignore'), join(folder, '.dockerignore')];
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path === undefined) return undefined;
  checkInside(path.startsWith(`${folder}/`) ? folder : dirname(path), path);
  const text = readIfThere(path, readPlainText);
  return text === undefined ? undefined : { path, text };
}

function readIfThere(path: string, read: typeof readText): string | undefined {
  try {
    return read(path, `the ignore file ${path}`);
  } catch (error) {
    if (error instanceof BuildError) throw error;
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new BuildError('context', `cannot read the ignore file ${path}`, { cause: error });
  }
}
