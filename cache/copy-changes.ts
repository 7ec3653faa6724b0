import {
  type BigIntStats,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { pathOf } from '../src/core/bytes.ts';
import { BuildError } from '../src/core/errors.ts';
import { isWhiteout, makeOpaque, makeWhiteout } from '../src/sys/overlay.ts';
import { lgetxattr, llistxattr, lremovexattr } from '../src/sys/xattr.ts';
import { copyAttributes, namesIn, setTimes, statOf } from './copy-layer.ts';

/** What a path was when the folder was looked at. */
interface State {
  readonly isDirectory: boolean;
  /** The same as long as it is the same file, whatever happens to it. */
  readonly file: string;
  /** Mode, owner, size, time, attributes. */
  readonly looks: string;
  /** Nanoseconds. */
  readonly ctime: string;
  /** How many names it has. */
  readonly links: number;
}

/** The state of everything below a folder, by path; '' is the folder itself. */
export type CopySnapshot = ReadonlyMap<string, State>;

/**
 * Looks at everything below `folder`. When this returns, the clock of the file system has moved on: whatever is changed
 * from now on gets another ctime than it has, and no program can set that one back.
 */
export function snapshotOf(folder: string): CopySnapshot {
  const seen = new Map<string, State>();
  let newest = 0n;
  const visit = (path: string): void => {
    const stat = statOf(at(folder, path))!;
    seen.set(path, stateOf(at(folder, path), stat));
    if (stat.ctimeNs > newest) newest = stat.ctimeNs;
    if (stat.isDirectory()) for (const name of namesIn(at(folder, path))) visit(below(path, name));
  };
  visit('');
  waitForClock(`${folder}.clock`, newest);
  return seen;
}

export function writeSnapshot(file: string, snapshot: CopySnapshot): void {
  const lines = [...snapshot].map(([path, { isDirectory, file, looks, ctime, links }]) =>
    JSON.stringify([path, isDirectory, file, looks, ctime, links]),
  );
  writeFileSync(file, lines.join('\n'), { mode: 0o600 });
}

export function readSnapshot(file: string): CopySnapshot {
  const lines = readFileSync(file, 'utf8').split('\n');
  return new Map(
    lines.map((line) => {
      const [path, isDirectory, file, looks, ctime, links] = JSON.parse(line) as Row;
      return [path, { isDirectory, file, looks, ctime, links }];
    }),
  );
}

type Row = [path: string, isDirectory: boolean, file: string, looks: string, ctime: string, links: number];

export interface Moved {
  readonly before: CopySnapshot;
  /** The trees that were laid out in the folder, bottom first. */
  readonly trees: readonly string[];
  /** Where the changes go; nothing is there yet. */
  readonly upper: string;
  /** Paths that were taken away and put back: their ctime says nothing. */
  readonly restored: readonly string[];
}

/**
 * Moves all that changed below `folder` to `upper`: a directory such as an overlay would have left. What is gone becomes
 * a whiteout; a directory in the place of another is opaque; directories on the way to a change are there with
 * their attributes. Sockets are dropped. `folder` lacks afterwards what was moved. Fails with `layer` where something
 * was made that means a deletion in a layer.
 */
export function moveChanges(folder: string, how: Moved): void {
  new Moving(folder, how).directory('');
}

const PIECE_BYTES = 1 << 20;

class Moving {
  readonly #folder: string;
  readonly #upper: string;
  readonly #before: CopySnapshot;
  readonly #restored: ReadonlySet<string>;
  readonly #trees: readonly string[];
  /** Names that were in a directory. */
  readonly #names: ReadonlyMap<string, readonly string[]>;
  readonly #made = new Set<string>();

  constructor(folder: string, { before, upper, restored, trees }: Moved) {
    this.#folder = folder;
    this.#upper = upper;
    this.#before = before;
    this.#restored = new Set(restored);
    this.#trees = trees.toReversed();
    this.#names = namesOf(before);
    this.#make('');
  }

  /** A directory that was there before. */
  directory(path: string): void {
    const here = at(this.#folder, path);
    const stat = statOf(here)!;
    const names = new Set(namesIn(here));
    for (const name of names) this.#entry(below(path, name));
    for (const name of this.#names.get(path) ?? []) if (!names.has(name)) this.#gone(below(path, name));
    if (this.#made.has(path)) copyAttributes(here, at(this.#upper, path), stat);
  }

  #entry(path: string): void {
    const full = at(this.#folder, path);
    const [was, is] = [this.#before.get(path), stateOf(full, statOf(full)!)];
    if (was?.file !== is.file) {
      this.#move(path, was?.isDirectory === true && is.isDirectory);
      return;
    }
    const isTouched = was.ctime !== is.ctime && !this.#restored.has(path);
    const isChanged = was.looks !== is.looks || (isTouched && !this.#isJustUnlinked(path, was, is));
    if (!is.isDirectory) {
      if (isChanged) this.#move(path, false);
      return;
    }
    if (isChanged) this.#make(path);
    this.directory(path);
  }

  /** A file that lost another of its names has another ctime too, and only its content tells that this is all. */
  #isJustUnlinked(path: string, was: State, is: State): boolean {
    if (is.isDirectory || is.links >= was.links) return false;
    const source = this.#trees.find((tree) => statOf(at(tree, path)) !== undefined);
    return source !== undefined && hasSameContent(at(source, path), at(this.#folder, path));
  }

  #gone(path: string): void {
    this.#make(parentOf(path));
    makeWhiteout(pathOf(at(this.#upper, path)));
  }

  #move(path: string, opaque: boolean): void {
    this.#make(parentOf(path));
    const to = at(this.#upper, path);
    renameSync(pathOf(at(this.#folder, path)), pathOf(to));
    clean(to, path);
    if (opaque) makeOpaque(pathOf(to));
  }

  #make(path: string): void {
    if (this.#made.has(path)) return;
    if (path !== '') this.#make(parentOf(path));
    mkdirSync(pathOf(at(this.#upper, path)), { mode: 0o700 });
    this.#made.add(path);
  }
}

/** What is new comes without sockets and without marks: in a plain folder a step can make those of an overlay. */
function clean(full: string, path: string): void {
  const stat = statOf(full)!;
  dropMarks(pathOf(full));
  if (stat.isSocket()) rmSync(pathOf(full));
  else if (isWhiteout(stat)) throw forged(path);
  else if (stat.isDirectory()) {
    for (const name of namesIn(full)) clean(`${full}/${name}`, below(path, name));
    if (statOf(full)!.mtimeNs !== stat.mtimeNs) setTimes(full, stat);
  }
}

/** Two files that look the same, with only their content left to compare. */
function hasSameContent(one: string, other: string): boolean {
  const stat = statOf(one)!;
  if (!stat.isFile()) return true;
  const files = [openSync(pathOf(one), 'r'), openSync(pathOf(other), 'r')] as const;
  const pieces = [Buffer.alloc(PIECE_BYTES), Buffer.alloc(PIECE_BYTES)] as const;
  try {
    for (;;) {
      const [here, there] = files.map((fd, i) => readSync(fd, pieces[i]!)) as [number, number];
      if (here !== there || !pieces[0].equals(pieces[1])) return false;
      if (here === 0) return true;
    }
  } finally {
    for (const fd of files) closeSync(fd);
  }
}

/** Recorded owners are no such marks: what is to be believed of them is decided where the layer is made. */
function dropMarks(path: string | Buffer): void {
  for (const name of llistxattr(path)) {
    if (/^(user|trusted)\.overlay\./.test(name)) lremovexattr(path, name);
  }
}

function forged(path: string): BuildError {
  return new BuildError(
    'layer',
    `the step made "${path}", a character device 0:0: in an image, that marks a deletion`,
    { hint: 'Remove the file in the step that makes it.' },
  );
}

function stateOf(full: string, stat: BigIntStats): State {
  const isDirectory = stat.isDirectory();
  const type = stat.mode & 0o170000n;
  return {
    isDirectory,
    // Numbers of files are given again; the time of birth tells them apart.
    file: `${type} ${stat.ino} ${stat.birthtimeNs} ${stat.rdev}`,
    looks: `${stat.mode} ${stat.uid} ${stat.gid} ${isDirectory ? 0 : stat.size} ${stat.mtimeNs}${xattrs(full)}`,
    ctime: String(stat.ctimeNs),
    links: Number(stat.nlink),
  };
}

function xattrs(full: string): string {
  const path = pathOf(full);
  return llistxattr(path)
    .sort()
    .map((name) => ` ${name}=${lgetxattr(path, name).toString('base64')}`)
    .join('');
}

function namesOf(snapshot: CopySnapshot): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const path of snapshot.keys()) {
    if (path === '') continue;
    const siblings = names.get(parentOf(path));
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (siblings === undefined) names.set(parentOf(path), [name]);
    else siblings.push(name);
  }
  return names;
}

/** File systems take the time from a clock that ticks every few milliseconds. */
function waitForClock(probe: string, newest: bigint): void {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    writeFileSync(probe, '.');
    const { ctimeNs } = statOf(probe)!;
    rmSync(probe);
    if (ctimeNs > newest) return;
    Atomics.wait(sleeper, 0, 0, 1);
  }
}

function at(folder: string, path: string): string {
  return path === '' ? folder : `${folder}/${path}`;
}

function below(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
