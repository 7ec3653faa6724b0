import type { Digest } from '../../src/core/digest.ts';
import type { Entry } from '../../src/core/types.ts';
import type { Item } from './copy-select.ts';
import type { SourceFile } from './copy-source.ts';

/**
 * The content of a selection as text to be hashed: a line per file with all that the layer takes from it, but no time.
 * Names are JSON strings, which frames them and keeps odd bytes apart.
 */
export function contentText(items: readonly Item[], digests: ReadonlyMap<string, Digest>): string {
  let text = '';
  for (const { name, top, below } of items) {
    const links = new Map<string, string>();
    text += top.entry.type === 'dir' ? `from ${below.length}\n` : lineOf(name, top, digests, links);
    for (const { path, file, asParent } of below) {
      if (asParent) text += 'parent ';
      text += lineOf(path, file, digests, links);
    }
  }
  return text;
}

function lineOf(
  name: string,
  file: SourceFile,
  digests: ReadonlyMap<string, Digest>,
  links: Map<string, string>,
): string {
  const { entry, sameFile } = file;
  const { type, mode, uid, gid, device } = entry;
  const first = sameFile === undefined ? undefined : links.get(sameFile);
  if (sameFile !== undefined && first === undefined) links.set(sameFile, name);
  const content =
    type === 'file'
      ? digests.get(entry.path)!
      : device === undefined
        ? '-'
        : `${device.major}:${device.minor}`;
  const line = `${type} ${mode} ${uid} ${gid} ${content} ${JSON.stringify(name)}`;
  return first === undefined && entry.link === undefined && entry.xattrs === undefined
    ? `${line}\n`
    : `${line} ${JSON.stringify([first, entry.link, xattrsOf(entry)])}\n`;
}

function xattrsOf({ xattrs }: Entry): readonly (readonly [string, string])[] | undefined {
  return xattrs === undefined ? undefined : Object.entries(xattrs).sort(([a], [b]) => (a < b ? -1 : 1));
}
