import { BuildError } from '../../src/core/errors.ts';
import type { StatCache } from '../../src/core/store.ts';
import type { Entry } from '../../src/core/types.ts';
import type { ContextFile } from './context.ts';
import { openContext } from './local.ts';

export interface CheckedOut {
  /** Clean path of the folder that is taken; '' for all. */
  readonly subdir: string;
  /** Time of every file, in seconds since the epoch. */
  readonly seconds: number;
  /** The repository as messages name it. */
  readonly of: string;
}

/** The files of a checkout as a context has them. Fails with `not-found` where the subdir is no folder. */
export function checkedOutFiles(
  workTree: string,
  { subdir, seconds, of }: CheckedOut,
): readonly ContextFile[] {
  const files = openContext(workTree, { statCache: forgetful }).list(subdir);
  if (files[0]?.entry.type !== 'dir') {
    throw new BuildError('not-found', `"${subdir}" of ${of} is not a folder`, {
      hint: 'Name a folder of the repository behind the colon; links are not followed.',
    });
  }
  const skip = subdir === '' ? 0 : subdir.length + 1;
  return files.map(({ entry, absolute }) => ({
    entry: settled(entry, entry.path.slice(skip), seconds),
    absolute,
  }));
}

/** git keeps of a mode only whether a file may be run; of an owner and a time nothing. */
function settled({ type, mode, size, link }: Entry, path: string, mtime: number): Entry {
  const isOpen = type === 'dir' || (mode & 0o100) !== 0;
  const kept = { path, type, uid: 0, gid: 0, size, mtime, ...(link !== undefined && { link }) };
  return { ...kept, mode: type === 'symlink' ? 0o777 : isOpen ? 0o755 : 0o644 };
}

const forgetful: StatCache = {
  digest: () => undefined,
  remember: () => {},
  save: async () => {},
};
