import { chmodSync, linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Entry, EntryType } from '../../../src/core/types.ts';
import { lsetxattr } from '../../../src/sys/xattr.ts';

export type EntryWithContent = Entry & { readonly content?: Buffer };

const types: Record<string, EntryType> = {
  d: 'dir',
  f: 'file',
  l: 'symlink',
  h: 'hardlink',
  p: 'fifo',
  w: 'whiteout',
  o: 'opaque',
};
const letters = Object.fromEntries(Object.entries(types).map(([letter, type]) => [type, letter]));

/**
 * An entry as a line: `f 600 1:2 path = content {user.a=b}`. Mode (644, 755, 777 of links) and owner (0:0) are left
 * out where they are the usual ones; `l path -> target`, `h path => other`, `d path`, `w path`, `o path`.
 */
export function entryOf(line: string): EntryWithContent {
  const match = /^(\w) (?:([0-7]{3,4}) )?(?:(\d+):(\d+) )?(.*?)(?: (=|->|=>) (.*?))?(?: \{(.*)\})?$/s.exec(
    line,
  );
  if (match === null) throw new Error(`not an entry: ${line}`);
  const type = types[match[1]!]!;
  const content = type === 'file' ? Buffer.from(match[7] ?? '') : undefined;
  return {
    path: match[5] === '/' ? '' : match[5]!,
    type,
    mode: match[2] === undefined ? usualMode(type) : Number.parseInt(match[2], 8),
    uid: Number(match[3] ?? 0),
    gid: Number(match[4] ?? 0),
    size: content?.length ?? 0,
    mtime: 1000,
    ...(content !== undefined && { content }),
    ...(type !== 'file' && match[7] !== undefined && { link: match[7] }),
    ...(match[8] !== undefined && { xattrs: Object.fromEntries([match[8].split('=')]) }),
  };
}

export function lineOf(entry: Entry, content?: Buffer): string {
  const { type, mode, uid, gid, link, path, xattrs } = entry;
  const words = [letters[type] ?? type];
  if (mode !== usualMode(type)) words.push(mode.toString(8).padStart(3, '0'));
  if (uid !== 0 || gid !== 0) words.push(`${uid}:${gid}`);
  words.push(path === '' ? '/' : path);
  if (type === 'file') words.push('=', content?.toString() ?? '');
  if (link !== undefined) words.push(type === 'symlink' ? '->' : '=>', link);
  const extra = Object.entries(xattrs ?? {}).map(([name, value]) => ` {${name}=${value}}`);
  return words.join(' ').replace(/ $/, '') + extra.join('');
}

/** Makes the entries on disk; owners are the test's own. */
export function makeFiles(folder: string, lines: readonly string[]): void {
  for (const entry of lines.map(entryOf)) {
    const at = join(folder, entry.path);
    mkdirSync(entry.type === 'dir' ? at : dirname(at), { recursive: true });
    if (entry.type === 'file') writeFileSync(at, entry.content!);
    else if (entry.type === 'symlink') symlinkSync(entry.link!, at);
    else if (entry.type === 'hardlink') linkSync(join(folder, entry.link!), at);
    for (const [name, value] of Object.entries(entry.xattrs ?? {})) lsetxattr(at, name, Buffer.from(value));
    if (entry.type === 'file' || entry.type === 'dir') chmodSync(at, entry.mode);
    if (entry.type === 'file') utimesSync(at, 1000, 1000);
  }
}

function usualMode(type: EntryType): number {
  return type === 'dir' ? 0o755 : type === 'symlink' ? 0o777 : 0o644;
}
