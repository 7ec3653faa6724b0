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
  const options = { cwd: rootfs };
  const output = await must(['getfattr', '-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '.'], options);
  const xattrs = parseXattrs(output);
  const found = walk(Buffer.from(rootfs), Buffer.alloc(0)).sort((a, b) => (a.path < b.path ? -1 : 1));
  const names = new Map<string, string[]>();
  for (const { path, stat } of found) {
    const inode = `${stat.dev}:${stat.ino}`;
    if (!stat.isDirectory()) names.set(inode, [...(names.get(inode) ?? []), path]);
  }
  return new Map(found.map((one) => [one.path, entryOf(one, { names, xattrs })]));
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

interface Found {
  readonly path: string;
  readonly file: Buffer;
  readonly stat: Stats;
}

/** Names are bytes: one that is no UTF-8 is told by its bytes as latin1. */
function walk(file: Buffer, path: Buffer): Found[] {
  const stat = lstatSync(file);
  const here = { path: nameOf(path), file, stat };
  if (!stat.isDirectory()) return [here];
  const slash = Buffer.from('/');
  const below = readdirSync(file, { encoding: 'buffer' }).flatMap((name) =>
    walk(Buffer.concat([file, slash, name]), path.length === 0 ? name : Buffer.concat([path, slash, name])),
  );
  return [here, ...below];
}

function nameOf(path: Buffer): string {
  const text = path.toString('utf8');
  return Buffer.from(text).equals(path) ? text : path.toString('latin1');
}

interface Known {
  readonly names: ReadonlyMap<string, readonly string[]>;
  readonly xattrs: ReadonlyMap<string, Record<string, string>>;
}

function entryOf({ path, file, stat }: Found, known: Known): TreeEntry {
  const type = typeOf(stat);
  const content = contentOf(file, stat, type);
  // The number of links counts names too that an overlay hides.
  const names = known.names.get(`${stat.dev}:${stat.ino}`) ?? [];
  const sameAs = names.length > 1 ? names[0] : undefined;
  const xattrs = known.xattrs.get(path);
  return {
    type,
    mode: type === 'symlink' ? '0777' : (stat.mode & 0o7777).toString(8).padStart(4, '0'),
    uid: stat.uid,
    gid: stat.gid,
    mtime: Math.floor(stat.mtimeMs / 1000),
    ...(content === undefined ? {} : { content }),
    ...(sameAs === undefined ? {} : { sameAs }),
    ...(xattrs === undefined ? {} : { xattrs }),
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

function contentOf(file: Buffer, stat: Stats, type: TreeEntry['type']): string | undefined {
  if (type === 'file') return createHash('sha256').update(readFileSync(file)).digest('hex');
  if (type === 'symlink') return nameOf(readlinkSync(file, { encoding: 'buffer' }));
  return type === 'char' || type === 'block' ? String(stat.rdev) : undefined;
}

/** getfattr's own text: `# file: path` with odd bytes as `\\ooo`, then `name=0xvalue` lines. */
function parseXattrs(output: string): Map<string, Record<string, string>> {
  const found = new Map<string, Record<string, string>>();
  for (const part of output.split('\n\n')) {
    const [first = '', ...lines] = part.trim().split('\n');
    const path = plainName(first.replace(/^# file: /, '').replace(/^\.\/?/, ''));
    const pairs = lines.filter((line) => line !== '').map((line) => line.split('=') as [string, string]);
    if (pairs.length > 0) found.set(path, Object.fromEntries(pairs.sort()));
  }
  return found;
}

function plainName(text: string): string {
  const bytes = Buffer.from(text).toString('latin1');
  const plain = bytes.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
  return nameOf(Buffer.from(plain, 'latin1'));
}
