import type { ContextFile } from '../../builder/context/context.ts';
import { type GitAddress, parseGitAddress } from '../../builder/context/git-address.ts';
import type { RepositoryFolder } from '../bake/in-repository.ts';
import type { BakeFile } from '../bake/source.ts';
import { remotesOf } from '../build/open-remotes.ts';
import { BuildError } from '../core/errors.ts';
import { normalPath } from '../core/paths.ts';
import { readPlainText } from '../core/text-file.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

/** The files of a repository, by their paths in the folder that is meant. */
export interface RemoteFiles {
  readonly folder: RepositoryFolder;
  has(path: string): boolean;
  /** Fails with `not-found`. */
  read(path: string): BakeFile;
}

/** The git repository that a word names, or undefined where it names none. Fails with `context`. */
export function repositoryIn(word: string): GitAddress | undefined {
  return /[:/]/.test(word) ? parseGitAddress(word, { short: true }) : undefined;
}

/** Fetches a repository, and does the work while its files are there. Fails with `context`, `network` or `not-found`. */
export async function withRepository<T>(
  address: GitAddress,
  { root, registry, place, emit, signal }: Surroundings,
  work: (files: RemoteFiles) => Promise<T>,
): Promise<T> {
  await using parts = await openParts(root, registry, place, { emit });
  const options = { secrets: [], ssh: [], emit, signal };
  await using remotes = remotesOf(options, registry, { place, store: parts.store });
  const resolved = await remotes.commit(address);
  const files = await remotes.files(resolved, false);
  return await work(filesOf(files, { url: address.url, commit: resolved.commit, subdir: address.subdir }));
}

function filesOf(files: readonly ContextFile[], folder: RepositoryFolder): RemoteFiles {
  const byPath = new Map(files.map((file) => [file.entry.path, file]));
  return {
    folder,
    has: (path) => byPath.get(normalPath(path))?.entry.type === 'file',
    read: (path) => {
      const file = byPath.get(normalPath(path));
      if (file?.entry.type === 'file') return { name: path, text: readPlainText(file.absolute, path) };
      throw new BuildError('not-found', `the repository holds no file ${path}`, {
        hint: 'Name one of its files with -f; cwd://FILE is a file of this machine.',
      });
    },
  };
}
