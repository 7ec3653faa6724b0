import type { Digest } from '../../src/core/digest.ts';
import type { Item } from './copy-select.ts';
import type { SourceFile } from './copy-source.ts';

/** A file as a list of files tells of it. */
export interface ListedFile {
  /** From the root of its source. */
  readonly path: string;
  readonly type: string;
  /** Octal. */
  readonly mode: string;
  /** `uid:gid`. */
  readonly owner: string;
  /** The beginning of its content's digest; numbers of a device; `-` for all else. */
  readonly content: string;
  /** Where a symlink leads, or which file before it it is another name of. */
  readonly link?: string;
  /** Extended attributes as JSON. */
  readonly attributes?: string;
}

/** Hexadecimal digits that are kept of a digest: enough to see that it changed. */
const KEPT_DIGITS = 16;

/**
 * The files of a selection by their paths in the source, a line each: what `contentText` names, but shorter, for it is
 * kept to be compared with a later one.
 */
export function fileListOf(items: readonly Item[], digests: ReadonlyMap<string, Digest>): string {
  const lines: string[] = [];
  const firsts = new Map<string, string>();
  for (const { name, top, below } of items) {
    const at = top.entry.path;
    if (top.entry.type !== 'dir') lines.push(lineOf(isPlain(at) ? at : name, top, { digests, firsts }));
    const under = isPlain(at) && at !== '' ? `${at}/` : '';
    for (const { path, file } of below) lines.push(lineOf(under + path, file, { digests, firsts }));
  }
  return lines.join('\n');
}

/** What a line of a list says. */
export function listedFile(line: string): ListedFile {
  const [type = '', mode = '', owner = '', content = '', ...rest] = line.split(' ');
  const [path, link, attributes] = JSON.parse(`[${rest.join(' ')}]`) as [string, string?, string?];
  return { path, type, mode, owner, content, ...(link && { link }), ...(attributes && { attributes }) };
}

/** The paths of a list. */
export function pathsIn(text: string): string[] {
  return text.split('\n').flatMap((line) => (line === '' ? [] : [listedFile(line).path]));
}

/** What was fetched lies under a name of ours. */
function isPlain(path: string): boolean {
  return !path.startsWith('\0');
}

interface Known {
  readonly digests: ReadonlyMap<string, Digest>;
  /** Paths by what makes names of one file equal. */
  readonly firsts: Map<string, string>;
}

function lineOf(path: string, { entry, sameFile }: SourceFile, { digests, firsts }: Known): string {
  const { type, mode, uid, gid, device, xattrs } = entry;
  const first = sameFile === undefined ? undefined : firsts.get(sameFile);
  if (sameFile !== undefined && first === undefined) firsts.set(sameFile, path);
  const content =
    type === 'file'
      ? digests.get(entry.path)!.slice(7, 7 + KEPT_DIGITS)
      : device === undefined
        ? '-'
        : `${device.major}:${device.minor}`;
  const line = `${type} ${mode.toString(8)} ${uid}:${gid} ${content} ${JSON.stringify(path)}`;
  const link = first ?? entry.link;
  if (link === undefined && xattrs === undefined) return line;
  return `${line},${JSON.stringify(link ?? '')},${JSON.stringify(xattrs === undefined ? '' : JSON.stringify(xattrs))}`;
}
