import { constants, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { nameOf, pathOf } from '../../src/core/bytes.ts';
import type { Digest } from '../../src/core/digest.ts';
import { BuildError, errnoOf } from '../../src/core/errors.ts';
import type { FileState, StatCache } from '../../src/core/store.ts';
import type { Entry, EntryType } from '../../src/core/types.ts';
import { majorMinor } from '../../src/sys/file.ts';
import { join, parentOf } from '../path-resolve.ts';
import type { Context, ContextFile } from './context.ts';
import { hashFiles } from './hash-files.ts';
import { compileIgnore } from './ignore-patterns.ts';
import { readXattrs } from './xattrs.ts';

export interface LocalContextOptions {
  /** Text of the ignore file. */
  readonly ignoreText?: string;
  /** Path of the ignore file, for messages. */
  readonly ignoreFile?: string;
  readonly statCache: StatCache;
}

/**
 * A folder of this machine as a context. Nothing is read before it is asked for, and then one directory at a time;
 * ignored directories are not entered unless a later pattern may bring something back. A socket is an empty file.
 * Reading fails with `context` where a directory may not be read, or the ignore file is malformed.
 */
export function openContext(folder: string, options: LocalContextOptions): Context {
  return new LocalContext(folder, options);
}

interface LocalFile extends ContextFile {
  /** Only of files. */
  readonly state: FileState | undefined;
  /** Of the content, once it is known. */
  digest: Digest | undefined;
}

class LocalContext implements Context {
  readonly #folder: string;
  readonly #statCache: StatCache;
  readonly #ignore: ReturnType<typeof compileIgnore> | undefined;
  readonly #files = new Map<string, LocalFile>();
  readonly #children = new Map<string, readonly LocalFile[]>();

  constructor(folder: string, { ignoreText, ignoreFile, statCache }: LocalContextOptions) {
    this.#folder = folder;
    this.#statCache = statCache;
    this.#ignore = ignoreText === undefined ? undefined : compileIgnore(ignoreText, ignoreFile);
  }

  list(under = ''): readonly ContextFile[] {
    const top = this.#find(under);
    if (top === undefined) return [];
    const found = [top];
    if (top.entry.type === 'dir') this.#collect(under, found);
    return found.sort(byPath);
  }

  children(directory: string): readonly ContextFile[] {
    return this.#find(directory)?.entry.type === 'dir' ? this.#read(directory) : [];
  }

  get(path: string): ContextFile | undefined {
    return this.#find(path);
  }

  async digests(files: readonly ContextFile[]): Promise<ReadonlyMap<string, Digest>> {
    const digests = new Map<string, Digest>();
    const unread: ContextFile[] = [];
    for (const file of files) {
      if (file.entry.type !== 'file') continue;
      const known = this.recall(file);
      if (known === undefined) unread.push(file);
      else digests.set(file.entry.path, known);
    }
    const read = await hashFiles(unread);
    for (const file of unread) {
      const digest = read.get(file.entry.path)!;
      digests.set(file.entry.path, digest);
      this.remember(file, digest);
    }
    return digests;
  }

  recall(file: ContextFile): Digest | undefined {
    return (file as LocalFile).digest;
  }

  /** Files with extended attributes are never remembered, so that a remembered file is known to have none. */
  remember(file: ContextFile, digest: Digest): void {
    const local = file as LocalFile;
    local.digest = digest;
    if (local.state === undefined || local.entry.xattrs !== undefined) return;
    this.#statCache.remember(local.entry.path, local.state, digest);
  }

  forget(): void {
    this.#files.clear();
    this.#children.clear();
  }

  /** Looks only below real directories of the context: no link is followed, and nothing outside is told about. */
  isIgnored(path: string): boolean {
    if (this.#ignore === undefined) return false;
    for (const at of [...ancestorsOf(path), path]) {
      const found = this.#find(at);
      if (found === undefined) return this.#ignore.matches(at) && this.#stat(at) !== undefined;
      if (found.entry.type !== 'dir') return false;
    }
    return false;
  }

  async save(): Promise<void> {
    await this.#statCache.save();
  }

  #find(path: string): LocalFile | undefined {
    const known = this.#files.get(path);
    if (known !== undefined) return known;
    if (path === '') return this.#root();
    const parent = parentOf(path);
    if (this.#children.has(parent) || this.#find(parent)?.entry.type !== 'dir') return undefined;
    this.#read(parent);
    return this.#files.get(path);
  }

  #root(): LocalFile {
    const root = this.#fileOf('', this.#folder, { stat: lstatSync(this.#folder), type: 'dir' });
    this.#files.set('', root);
    return root;
  }

  /** The visible entries of one directory, sorted; an ignored directory shows where something in it is not ignored. */
  #read(directory: string): readonly LocalFile[] {
    const known = this.#children.get(directory);
    if (known !== undefined) return known;
    const children: LocalFile[] = [];
    for (const child of this.#entriesOf(directory)) {
      const path = join(directory, child.name);
      const ignored = this.#ignore?.matches(path) ?? false;
      if (ignored && !(child.isDirectory() && this.#ignore!.couldReinclude(path))) continue;
      const file = this.#stat(path);
      if (file === undefined || (ignored && this.#read(path).length === 0)) continue;
      this.#files.set(path, file);
      children.push(file);
    }
    children.sort(byPath);
    this.#children.set(directory, children);
    return children;
  }

  #collect(directory: string, into: LocalFile[]): void {
    for (const child of this.#read(directory)) {
      into.push(child);
      if (child.entry.type === 'dir') this.#collect(child.entry.path, into);
    }
  }

  #entriesOf(directory: string): { readonly name: string; isDirectory(): boolean }[] {
    const path = pathOf(join(this.#folder, directory));
    try {
      const entries = readdirSync(path, { withFileTypes: true });
      return entries.some(({ name }) => name.includes('\uFFFD')) ? oddEntries(path) : entries;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
      throw new BuildError('context', `cannot read the folder "${directory}" of the build context`, {
        cause: error,
        hint: `Make it readable, or add "${directory}" to the ignore file.`,
      });
    }
  }

  /** A file that is gone by now counts as not there. */
  #stat(path: string): LocalFile | undefined {
    const absolute = join(this.#folder, path);
    try {
      const stat = lstatSync(pathOf(absolute), quietly);
      const type = stat === undefined ? undefined : typeOf(stat);
      const bytes = stat?.isSocket() ? nothing : absolute;
      return type === undefined ? undefined : this.#fileOf(path, bytes, { stat: stat!, type });
    } catch (error) {
      const code = errnoOf(error);
      if (code === undefined) throw error;
      throw new BuildError('context', `cannot look at "${shortened(path)}" of the build context (${code})`, {
        cause: error,
        hint: 'Make it readable, or add it to the ignore file.',
      });
    }
  }

  #fileOf(
    path: string,
    absolute: string,
    { stat, type }: { readonly stat: Stats; readonly type: EntryType },
  ): LocalFile {
    const state = type === 'file' ? stateOf(stat) : undefined;
    const digest = state === undefined ? undefined : this.#statCache.digest(path, state);
    const entry: Entry = {
      path,
      type,
      mode: stat.mode & 0o7777,
      uid: 0,
      gid: 0,
      size: state?.size ?? 0,
      mtime: Math.floor(stat.mtimeMs / 1000),
    };
    const more = digest === undefined ? detailsOf(absolute, stat, type) : undefined;
    const file = { entry: more === undefined ? entry : { ...entry, ...more }, absolute, state, digest };
    return stat.nlink > 1 && type !== 'dir' ? { ...file, sameFile: `${stat.dev}:${stat.ino}` } : file;
  }
}

/** The directories above a path, the outermost first. */
function ancestorsOf(path: string): string[] {
  const names = path.split('/');
  return names.slice(1).map((_, i) => names.slice(0, i + 1).join('/'));
}

/** A path that fits into a message. */
function shortened(path: string): string {
  return path.length <= 200 ? path : `${path.slice(0, 100)}…${path.slice(-60)}`;
}

const quietly = { throwIfNoEntry: false } as const;

/** Where the bytes of a socket are: it cannot be opened as a file, and a layer has none. */
const nothing = '/dev/null';

/** What plain files do not have; a remembered file is known to have none of it. */
function detailsOf(absolute: string, stat: Stats, type: EntryType): Partial<Entry> | undefined {
  const xattrs = readXattrs(absolute);
  if (type === 'symlink') return { link: linkOf(absolute), ...xattrs };
  if (type === 'char' || type === 'block') return { device: majorMinor(stat.rdev), ...xattrs };
  return xattrs;
}

function linkOf(absolute: string): string {
  return nameOf(readlinkSync(pathOf(absolute), { encoding: 'buffer' }));
}

/** A socket is an empty file to docker, and so to us; undefined for what a layer cannot hold. */
function typeOf(stat: Stats): EntryType | undefined {
  switch (stat.mode & constants.S_IFMT) {
    case constants.S_IFREG:
    case constants.S_IFSOCK:
      return 'file';
    case constants.S_IFDIR:
      return 'dir';
    case constants.S_IFLNK:
      return 'symlink';
    case constants.S_IFIFO:
      return 'fifo';
    case constants.S_IFCHR:
      return 'char';
    case constants.S_IFBLK:
      return 'block';
    default:
      return undefined;
  }
}

function stateOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): FileState {
  return { dev, ino, size, mtimeMs, ctimeMs };
}

function oddEntries(path: string | Buffer): { name: string; isDirectory(): boolean }[] {
  return readdirSync(path, { withFileTypes: true, encoding: 'buffer' }).map((entry) => ({
    name: nameOf(entry.name),
    isDirectory: () => entry.isDirectory(),
  }));
}

function byPath(a: ContextFile, b: ContextFile): number {
  return a.entry.path < b.entry.path ? -1 : 1;
}
