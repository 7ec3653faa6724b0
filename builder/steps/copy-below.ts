import type { IgnorePatterns } from '../context/ignore-patterns.ts';
import type { SourceFile, SourceTree } from './copy-source.ts';

/** A file below an item, by its path relative to the item. */
export interface Picked {
  readonly path: string;
  readonly file: SourceFile;
  /** A directory that is there only for what is taken of its contents. */
  readonly asParent?: true;
}

/** Which files below a source are taken. */
export interface Filter {
  /** Of `--parents`: what to take; without it everything is. */
  readonly include?: IgnorePatterns;
  /** Of `--exclude`: what to leave out. */
  readonly exclude?: IgnorePatterns;
}

/**
 * What is taken of a directory, parents first. Links are not followed, and no directory is entered in which nothing
 * can be taken.
 */
export async function takeBelow(directory: string, filter: Filter, tree: SourceTree): Promise<Picked[]> {
  const skip = directory === '' ? 0 : directory.length + 1;
  const { include, exclude } = filter;
  if (include === undefined && exclude === undefined) {
    return (await tree.below(directory)).map((file) => ({ path: file.entry.path.slice(skip), file }));
  }
  const taken: Picked[] = [];
  const enter = async (at: string, above: readonly Picked[]): Promise<void> => {
    let parents = above;
    for (const file of await tree.children(at)) {
      const path = file.entry.path.slice(skip);
      const isTaken = takes(filter, path);
      if (isTaken) {
        taken.push(...parents, { path, file });
        parents = [];
      }
      if (file.entry.type !== 'dir' || !(isTaken || mayTakeBelow(filter, path))) continue;
      const before = taken.length;
      await enter(file.entry.path, isTaken ? [] : [...parents, { path, file, asParent: true }]);
      if (taken.length > before) parents = [];
    }
  };
  await enter(directory, []);
  return taken;
}

function takes({ include, exclude }: Filter, path: string): boolean {
  return include?.matches(path) !== false && exclude?.matches(path) !== true;
}

/** Of a directory that is not taken itself. */
function mayTakeBelow({ include, exclude }: Filter, path: string): boolean {
  const wanted = include === undefined || include.matches(path) || include.couldMatchBelow(path);
  return wanted && (exclude?.matches(path) !== true || exclude.couldReinclude(path));
}
