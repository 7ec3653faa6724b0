import { closeSync, mkdirSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { pathOf } from '../src/core/bytes.ts';
import { BuildError } from '../src/core/errors.ts';
import { isWhiteout, makeOpaque, makeWhiteout } from '../src/sys/overlay.ts';
import { llistxattr, lremovexattr } from '../src/sys/xattr.ts';
import { copyAttributes, namesIn, setTimes, statOf } from './copy-layer.ts';
import { at, below, type CopySnapshot, parentOf, type State, stateOf } from './copy-snapshot.ts';

export interface Moved {
  readonly before: CopySnapshot;
  /** The trees that were laid out in the folder, bottom first. */
  readonly trees: readonly string[];
  /** Paths of which the time of change tells nothing. */
  readonly touched: readonly string[];
  /** Where the changes go; nothing is there yet. */
  readonly upper: string;
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
  readonly #trees: readonly string[];
  /** Names that were in a directory. */
  readonly #names: ReadonlyMap<string, readonly string[]>;
  readonly #touched: ReadonlySet<string>;
  /** The files at these paths, which may have other names. */
  readonly #touchedFiles: ReadonlySet<string | undefined>;
  readonly #made = new Set<string>();

  constructor(folder: string, { before, upper, trees, touched }: Moved) {
    this.#folder = folder;
    this.#upper = upper;
    this.#before = before;
    this.#touched = new Set(touched);
    this.#touchedFiles = new Set(touched.map((path) => before.get(path)?.file));
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
    const isChanged =
      was.looks !== is.looks || (was.ctime !== is.ctime && !this.#isJustTouched(path, was, is));
    if (!is.isDirectory) {
      if (isChanged) this.#move(path, false);
      return;
    }
    if (isChanged) this.#make(path);
    this.directory(path);
  }

  /**
   * A file that was touched, by whatever name, or lost another of its names has another ctime too, and only its content
   * tells that this is all.
   */
  #isJustTouched(path: string, was: State, is: State): boolean {
    if (is.isDirectory) return this.#touched.has(path);
    if (is.links >= was.links && !this.#touchedFiles.has(was.file)) return false;
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
