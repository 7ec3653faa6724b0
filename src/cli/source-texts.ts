import { existsSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { BuildOptions } from '../core/options.ts';
import type { Host } from './host.ts';

/** Texts of the files that messages show lines of. */
export interface SourceTexts {
  /** Keeps what a build has read, wherever it came from. */
  readonly onSource: NonNullable<BuildOptions['onSource']>;
  /** The text of a file that a location names: one that was kept, else a file here or in the context. */
  readonly read: (file: string) => string | undefined;
  /** Where such a file is on this machine, or undefined where it is not. */
  readonly path: (file: string) => string | undefined;
}

export function sourceTexts({ context }: Pick<BuildOptions, 'context'>, cwd: string): SourceTexts {
  const kept = new Map<string, string>();
  const folders = context.startsWith('/') ? [cwd, context] : [cwd];
  const path = (file: string): string | undefined =>
    folders.map((folder) => resolve(folder, file)).find((near) => existsSync(near));
  return {
    onSource: (file, text) => void kept.set(file, text),
    read: (file) => kept.get(file) ?? readNear(path(file)),
    path,
  };
}

/**
 * Where the files of locations are below the folder that a workflow of GitHub has checked out, or undefined where they are
 * not.
 */
export function pathsIn(
  env: Host['env'],
  sources: Pick<SourceTexts, 'path'> | undefined,
): (file: string) => string | undefined {
  return (file) => {
    const path = sources?.path(file);
    if (path === undefined || env.GITHUB_WORKSPACE === undefined) return undefined;
    const below = relative(env.GITHUB_WORKSPACE, path);
    return below === '' || below.startsWith('..') ? undefined : below;
  };
}

function readNear(path: string | undefined): string | undefined {
  try {
    return path === undefined ? undefined : readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
