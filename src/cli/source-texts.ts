import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BuildOptions } from '../core/options.ts';

/** Texts of the files that messages show lines of. */
export interface SourceTexts {
  /** Keeps what a build has read, wherever it came from. */
  readonly onSource: NonNullable<BuildOptions['onSource']>;
  /** The text of a file that a location names: one that was kept, else a file here or in the context. */
  readonly read: (file: string) => string | undefined;
}

export function sourceTexts({ context }: Pick<BuildOptions, 'context'>, cwd: string): SourceTexts {
  const kept = new Map<string, string>();
  const folders = context.startsWith('/') ? [cwd, context] : [cwd];
  return {
    onSource: (file, text) => void kept.set(file, text),
    read: (file) => kept.get(file) ?? readNear(folders.map((folder) => resolve(folder, file))),
  };
}

function readNear(paths: readonly string[]): string | undefined {
  const path = paths.find((near) => existsSync(near));
  try {
    return path === undefined ? undefined : readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
