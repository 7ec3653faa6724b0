import type { Entry } from '../../src/core/types.ts';
import type { SourceFile } from './copy-source.ts';

/** An entry that will be written, and where a file's bytes come from. */
export interface Planned {
  readonly entry: Entry;
  /** A file of the source tree, bytes, or the absolute path of a file of our own. */
  readonly content?: SourceFile | Buffer | string;
  /** Equal for names of one file that came together: all but the first become hard links. */
  readonly group?: string;
}

/** The entry under another path, without what a tar of ours does not say or the writer finds out. */
export function plainly(
  entry: Entry,
  path: string,
  { mode, uid, gid }: Pick<Entry, 'mode' | 'uid' | 'gid'> = entry,
): Entry {
  const { type, size, mtime, link, xattrs, device } = entry;
  const plain: Entry = { path, type, mode, uid, gid, size, mtime };
  if (link === undefined && xattrs === undefined && device === undefined) return plain;
  return {
    ...plain,
    ...(link !== undefined && { link }),
    ...(xattrs !== undefined && { xattrs }),
    ...(device !== undefined && { device }),
  };
}

/** The first name of a file carries the content, the others become links to it. */
export function linked(sorted: readonly Planned[]): Planned[] {
  const first = new Map<string, Entry>();
  return sorted.map((planned) => {
    const { entry, group } = planned;
    if (group === undefined || entry.type !== 'file') return planned;
    const known = first.get(group);
    if (known === undefined) first.set(group, entry);
    if (known === undefined || !looksAlike(known, entry)) return planned;
    return { ...planned, entry: { ...entry, type: 'hardlink', size: 0, link: known.path } };
  });
}

function looksAlike(a: Entry, b: Entry): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}
