import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { must } from './programs.ts';
import { isRoot } from './skips.ts';

/** What can be seen of one file of an unpacked image. */
export interface TreeEntry {
  readonly type: 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket';
  /** Four octal digits; of a symlink always 0777. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  /** sha256 of a file's content, a symlink's target, a device's numbers. */
  readonly content?: string;
  /** The first name, in order, of those that share the inode; absent where the file has one name. */
  readonly sameAs?: string;
  /** Names and hexadecimal values. */
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** Path without leading slash → entry; '' is the root. */
export type Tree = ReadonlyMap<string, TreeEntry>;

export type Aspect = 'type' | 'mode' | 'uid' | 'gid' | 'mtime' | 'content' | 'sameAs' | 'xattrs';

/** What "the same tree" means where nothing else is said: all but times. */
export const aspects: readonly Aspect[] = ['type', 'mode', 'uid', 'gid', 'content', 'sameAs', 'xattrs'];

/** Unpacks the image with the tag `image` of an OCI layout by umoci below `bundle` and gives the rootfs's path. */
export async function unpack(layout: string, bundle: string): Promise<string> {
  const rootless = isRoot ? [] : ['--rootless'];
  await must(['umoci', 'unpack', ...rootless, '--image', `${layout}:image`, bundle]);
  return join(bundle, 'rootfs');
}

/** Lists a tree on disk. */
export async function listTree(rootfs: string): Promise<Tree> {
  const xattrs = parseXattrs(
    await must(['getfattr', '-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '.'], { cwd: rootfs }),
  );
  const names = new Map<string, string>();
  const paths = ['', ...readdirSync(rootfs, { recursive: true, encoding: 'utf8' }).sort()];
  const stats = paths.map((path) => [path, lstatSync(join(rootfs, path))] as const);
  for (const [path, stat] of stats) {
    const inode = `${stat.dev}:${stat.ino}`;
    if (!stat.isDirectory() && stat.nlink > 1 && !names.has(inode)) names.set(inode, path);
  }
  return new Map(
    stats.map(([path, stat]) => [
      path,
      entryOf(join(rootfs, path), stat, {
        sameAs: names.get(`${stat.dev}:${stat.ino}`),
        xattrs: xattrs.get(path),
      }),
    ]),
  );
}

/** The differences between two trees, one line each, sorted; empty when they are the same. */
export function compareTrees(ours: Tree, theirs: Tree, by: readonly Aspect[] = aspects): string[] {
  const paths = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  return paths.flatMap((path) => {
    const [a, b] = [ours.get(path), theirs.get(path)];
    if (a === undefined) return [`/${path}: only in the second`];
    if (b === undefined) return [`/${path}: only in the first`];
    return by
      .filter((aspect) => JSON.stringify(a[aspect]) !== JSON.stringify(b[aspect]))
      .map((aspect) => `/${path}: ${aspect} ${JSON.stringify(a[aspect])} and ${JSON.stringify(b[aspect])}`);
  });
}

function entryOf(
  file: string,
  stat: Stats,
  known: { sameAs: string | undefined; xattrs: Record<string, string> | undefined },
): TreeEntry {
  const type = typeOf(stat);
  const content = contentOf(file, stat, type);
  return {
    type,
    mode: type === 'symlink' ? '0777' : (stat.mode & 0o7777).toString(8).padStart(4, '0'),
    uid: stat.uid,
    gid: stat.gid,
    mtime: Math.floor(stat.mtimeMs / 1000),
    ...(content === undefined ? {} : { content }),
    ...(known.sameAs === undefined ? {} : { sameAs: known.sameAs }),
    ...(known.xattrs === undefined ? {} : { xattrs: known.xattrs }),
  };
}

function typeOf(stat: Stats): TreeEntry['type'] {
  if (stat.isDirectory()) return 'dir';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'char';
  if (stat.isBlockDevice()) return 'block';
  if (stat.isFIFO()) return 'fifo';
  return stat.isSocket() ? 'socket' : 'file';
}

function contentOf(file: string, stat: Stats, type: TreeEntry['type']): string | undefined {
  if (type === 'file') return createHash('sha256').update(readFileSync(file)).digest('hex');
  if (type === 'symlink') return readlinkSync(file);
  return type === 'char' || type === 'block' ? String(stat.rdev) : undefined;
}

/** getfattr's own text: `# file: path`, then `name=0xvalue` lines. */
function parseXattrs(output: string): Map<string, Record<string, string>> {
  const found = new Map<string, Record<string, string>>();
  for (const part of output.split('\n\n')) {
    const [first = '', ...lines] = part.trim().split('\n');
    const path = first.replace(/^# file: /, '').replace(/^\.\/?/, '');
    const pairs = lines.filter((line) => line !== '').map((line) => line.split('=') as [string, string]);
    if (pairs.length > 0) found.set(path, Object.fromEntries(pairs.sort()));
  }
  return found;
}
