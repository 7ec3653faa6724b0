import { chmodSync, lstatSync, readdirSync, readlinkSync, rmdirSync, type Stats, unlinkSync } from 'node:fs';
import { nameOf, pathOf } from '../src/core/bytes.ts';
import { BuildError, errnoOf } from '../src/core/errors.ts';
import { isMark } from '../src/core/marks.ts';
import type { Owner } from '../src/core/owner.ts';
import type { CommitOptions } from '../src/core/store.ts';
import type { Entry } from '../src/core/types.ts';
import { sorted } from '../src/oci/listing.ts';
import { isReserved } from '../src/oci/tar-path.ts';
import { majorMinor } from '../src/sys/file.ts';
import { isOpaque, isWhiteout } from '../src/sys/overlay.ts';
import { lgetxattr, llistxattr } from '../src/sys/xattr.ts';
import { dropIdleMarks } from './idle-marks.ts';
import { type OwnerSource, RecordedOwners } from './recorded-owners.ts';

/** A file with several names: where the first was seen. */
type Links = Map<string, Entry[]>;

/** Attributes that belong to a file wherever it is; labels and checksums of this machine do not. */
const kept = /^(user\.|security\.capability$|system\.posix_acl_(access|default)$)/;

/** An upper directory, and the root that it was laid over. */
export interface Upper {
  readonly folder: string;
  readonly root?: Entry | undefined;
  /** The trees below, topmost first; without them every opaque mark counts. */
  readonly lower?: readonly string[] | undefined;
  /** Where owners are recorded and not real. */
  readonly owners?: OwnerSource | undefined;
}

/**
 * The entries that the finished upper directory of an overlay stands for, sorted as a listing, files without digests
 * yet. What overlayfs left in it is taken for what it means (sys/overlay.ts; whiteouts before hard links: all whiteouts of
 * an overlay are one inode); sockets are no part of a layer.
 * Times are cut to whole seconds, as the tar has them.
 */
export function entriesOfUpper({ folder, root, lower, owners }: Upper): Entry[] {
  if (lower !== undefined) dropIdleMarks(folder, lower);
  const entries: Entry[] = [];
  const links: Links = new Map();
  walk(folder, '', { entries, links, owners: owners && new RecordedOwners(owners) });
  withHardlinks(links);
  const kept = (entry: Entry): boolean =>
    entry.path !== '' || entry.type === 'opaque' || (root !== undefined && !isLike(entry, root));
  return sorted(entries.filter(kept)) as Entry[];
}

/**
 * Removes mountpoints that only the runtime made: those of `residue` that are still empty. Directories that were
 * copied up only to hold them, and are as they were `below`, go too: a step that changes nothing leaves nothing.
 */
export function dropResidue(upper: string, { residue, below, recorded }: CommitOptions): void {
  const owners = recorded && new RecordedOwners(recorded);
  for (const path of [...residue].sort().reverse()) {
    const clean = path.replace(/^\/+|\/+$/g, '');
    if (clean === '' || clean.split('/').includes('..')) continue;
    if (hasLinkedParent(upper, clean)) continue;
    dropIfEmpty(`${upper}/${clean}`);
    plainIfMade(`${upper}/${clean}`);
  }
  for (const entry of below.toSorted((a, b) => (a.path < b.path ? 1 : -1))) {
    if (entry.path !== '' && !hasLinkedParent(upper, entry.path))
      dropIfUnchanged(`${upper}/${entry.path}`, entry, owners);
  }
}

/** What the step put something into stays, without the sticky bit that crun gives the directories it makes. */
function plainIfMade(full: string): void {
  const stat = lstatSync(pathOf(full), { throwIfNoEntry: false });
  if (stat?.isDirectory() && (stat.mode & 0o7777) === 0o1755) chmodSync(pathOf(full), 0o755);
}

/** An empty directory of the upper that only repeats what is below it. */
function dropIfUnchanged(full: string, below: Entry, owners: RecordedOwners | undefined): void {
  const stat = lstatSync(pathOf(full), { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true || isOpaque(pathOf(full))) return;
  const now = entryOf({ full, path: below.path, stat }, owners);
  if (now !== undefined && isLike(now, below)) dropIfEmpty(full);
}

/** The same but for the time. */
function isLike(a: Entry, b: Entry): boolean {
  const xattrs = (entry: Entry): string => JSON.stringify(entry.xattrs ?? {});
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && xattrs(a) === xattrs(b);
}

/**
 * Removes the sockets of programs that have ended from the upper directory of an overlay: they are no part of the layer,
 * and one without any mode would count as a deletion (src/sys/overlay.ts), which an overlay itself never writes so.
 */
export function dropSockets(folder: string): void {
  for (const name of readdirSync(pathOf(folder), { withFileTypes: true, encoding: 'buffer' })) {
    const full = `${folder}/${nameOf(name.name as unknown as Buffer)}`;
    if (name.isSocket()) unlinkSync(pathOf(full));
    else if (name.isDirectory()) dropSockets(full);
  }
}

/** True where reading the upper directory takes no longer than telling another thread to: few entries, few bytes. */
export function isSmall(upper: string): boolean {
  const left = { entries: 200, bytes: 4 * 2 ** 20 };
  const fits = (folder: string): boolean =>
    namesIn(folder).every((name) => {
      const stat = lstatSync(pathOf(`${folder}/${name}`));
      left.entries--;
      left.bytes -= stat.isFile() ? stat.size : 0;
      return left.entries >= 0 && left.bytes >= 0 && (!stat.isDirectory() || fits(`${folder}/${name}`));
    });
  return fits(upper);
}

interface Walk {
  readonly entries: Entry[];
  readonly links: Links;
  readonly owners: RecordedOwners | undefined;
}

function walk(upper: string, path: string, out: Walk): void {
  const full = path === '' ? upper : `${upper}/${path}`;
  const stat = lstatSync(pathOf(full));
  const entry = entryOf({ full, path, stat }, out.owners);
  if (entry === undefined) return;
  out.entries.push(entry);
  if (entry.type === 'dir') {
    if (isOpaque(pathOf(full))) out.entries.push({ ...mark(path), type: 'opaque' });
    for (const name of namesIn(full)) walk(upper, path === '' ? name : `${path}/${name}`, out);
  } else if (stat.nlink > 1 && entry.type !== 'whiteout') {
    const key = `${stat.dev}:${stat.ino}`;
    out.links.set(key, [...(out.links.get(key) ?? []), entry]);
  }
}

interface Found {
  readonly full: string;
  readonly path: string;
  readonly stat: Stats;
}

function entryOf({ full, path, stat }: Found, owners: RecordedOwners | undefined): Entry | undefined {
  if (isWhiteout(stat)) return mark(path);
  if (stat.isSocket()) return undefined;
  if (isReserved(path)) throw reserved(path);
  const xattrs = xattrsOf(full);
  const { uid, gid, device } = owners?.ownerOf(full, path) ?? realOwner(stat);
  return {
    path,
    type: device?.type ?? typeOf(stat),
    mode: stat.mode & 0o7777,
    uid,
    gid,
    size: stat.isFile() && device === undefined ? stat.size : 0,
    mtime: Math.floor(stat.mtimeMs / 1000),
    ...(stat.isSymbolicLink() && { link: nameOf(readlinkSync(pathOf(full), { encoding: 'buffer' })) }),
    ...(device && { device: { major: device.major, minor: device.minor } }),
    ...(xattrs && { xattrs }),
  };
}

function realOwner(stat: Stats): Owner {
  const { uid, gid } = stat;
  const type = stat.isCharacterDevice() ? 'char' : stat.isBlockDevice() ? 'block' : undefined;
  return { uid, gid, ...(type && { device: { type, ...majorMinor(stat.rdev) } }) };
}

function typeOf(stat: Stats): Entry['type'] {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'dir';
  return stat.isSymbolicLink() ? 'symlink' : 'fifo';
}

function mark(path: string): Entry {
  return { path, type: 'whiteout', mode: 0, uid: 0, gid: 0, size: 0, mtime: 0 };
}

/** The first name in path order is the file, the others are links to it. */
function withHardlinks(links: Links): void {
  for (const names of links.values()) {
    const [first, ...others] = sorted(names);
    for (const other of others) {
      const { digest: _, xattrs: __, ...bare } = other;
      Object.assign(other, bare, { type: 'hardlink', size: 0, link: first!.path });
      delete (other as { xattrs?: unknown }).xattrs;
    }
  }
}

function xattrsOf(full: string): Record<string, string> | undefined {
  const names = llistxattr(pathOf(full)).filter((name) => kept.test(name) && !isMark(name));
  if (names.length === 0) return undefined;
  const values = names
    .sort()
    .map((name) => [name, lgetxattr(pathOf(full), name).toString('latin1')] as const);
  return Object.fromEntries(values);
}

function namesIn(full: string): string[] {
  return readdirSync(pathOf(full), { encoding: 'buffer' }).map(nameOf);
}

function reserved(path: string): BuildError {
  return new BuildError(
    'layer',
    `the step made "${path}": in an image, names that begin with ".wh." mark deletions`,
    {
      hint: 'Rename the file, or remove it in the step that makes it.',
    },
  );
}

/** A path that leads through anything but directories of the upper is nobody's residue. */
function hasLinkedParent(upper: string, path: string): boolean {
  const parts = path.split('/').slice(0, -1);
  return parts.some((_, i) => {
    const folder = pathOf(`${upper}/${parts.slice(0, i + 1).join('/')}`);
    return lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true;
  });
}

function dropIfEmpty(full: string): void {
  const path = pathOf(full);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  try {
    if (stat.isDirectory()) rmdirSync(path);
    else if (stat.isFile() && stat.size === 0) unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOTEMPTY') throw error;
  }
}
