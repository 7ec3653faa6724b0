import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { BuildError, errnoOf } from '../../../src/core/errors.ts';
import { utimensat } from '../../../src/sys/file.ts';
import { resolveIn } from '../rootfs-view.ts';

/**
 * Puts things into a root while a step runs, where nothing can be mounted, and takes them out again. What stood in their
 * place is moved aside and comes back; folders on the way keep their times.
 *
 * Links are followed inside the root alone, and only before the step. Afterwards a folder is known by its open descriptor:
 * wherever the step has moved it, and whatever link stands in its place.
 */
export class Placing implements Disposable {
  /** Paths of the root of which the time of change tells nothing any more. */
  readonly touched = new Set<string>();
  readonly #root: string;
  /** A folder outside of the root, on its file system. */
  readonly #aside: string;
  readonly #undo: (() => void)[] = [];

  constructor(root: string, aside: string) {
    this.#root = root;
    this.#aside = aside;
  }

  /** Lets `make` make something at `target`, under the path it is given; gives the path in the root. */
  put(target: string, make: (path: string) => void): string {
    return this.#place(target, make, remove);
  }

  /** Moves something to `target`, and back; what the step has put into its place is dropped. */
  move(source: string, target: string): string {
    // Open, so that its number is given to nothing else.
    const moved = openSync(source, O_PATH | constants.O_NOFOLLOW);
    this.#undo.push(() => closeSync(moved));
    const giveBack = (path: string): void => {
      const there = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (there?.ino === fstatSync(moved, { bigint: true }).ino) renameSync(path, source);
      else remove(path);
    };
    return this.#place(target, (path) => moveTo(source, path, target), giveBack);
  }

  /** One thing that cannot be undone keeps none of the others: the first failure is told afterwards. */
  [Symbol.dispose](): void {
    const failures: unknown[] = [];
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        undo();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #place(target: string, make: (path: string) => void, takeAway: (path: string) => void): string {
    const { path, existing } = resolveIn([this.#root], target);
    if (path === '') throw new BuildError('sandbox', `\`${target}\` is the root of the step itself`);
    const parts = path.split('/');
    for (let at = existing; at < parts.length - 1; at++) this.#makeParent(parts.slice(0, at + 1));
    const [folder, name] = this.#folderOf(parts, target);
    if (existing === parts.length) this.#moveAside(folder, name);
    this.#undo.push(() => folder.change(name, takeAway));
    folder.change(name, make);
    return path;
  }

  /** It stays where the step has put something into it. */
  #makeParent(parts: readonly string[]): void {
    const [folder, name] = this.#folderOf(parts, parts.join('/'));
    folder.change(name, (path) => mkdirSync(path, { mode: 0o755 }));
    this.#undo.push(() => folder.change(name, removeEmpty));
  }

  #moveAside(folder: Folder, name: string): void {
    const kept = join(this.#aside, `kept-${this.#undo.length}`);
    this.touched.add(folder.path === '' ? name : `${folder.path}/${name}`);
    folder.change(name, (path) => renameSync(path, kept));
    this.#undo.push(() => folder.change(name, (path) => renameSync(kept, path)));
  }

  #folderOf(parts: readonly string[], target: string): readonly [Folder, string] {
    const path = parts.slice(0, -1).join('/');
    const folder = new Folder(this.#root, path, target);
    this.#undo.push(() => folder.close());
    this.touched.add(path);
    return [folder, parts.at(-1)!];
  }
}

/** A folder of the root, open. */
class Folder {
  readonly path: string;
  readonly #fd: number;

  constructor(root: string, path: string, target: string) {
    this.path = path;
    try {
      this.#fd = openSync(
        join(root, path),
        constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
      );
    } catch (error) {
      throw new BuildError(
        'sandbox',
        `\`/${path}\` is no directory, so that nothing can be at \`${target}\``,
        {
          cause: error,
        },
      );
    }
  }

  /** Changes what `name` is. The folder's own time stays; a folder that the step has removed is let be. */
  change(name: string, work: (path: string) => void): void {
    const { mtimeNs, nlink } = fstatSync(this.#fd, { bigint: true });
    if (nlink === 0n) return;
    work(`/proc/self/fd/${this.#fd}/${name}`);
    const nanoseconds = ((mtimeNs % SECOND) + SECOND) % SECOND;
    utimensat(`/proc/self/fd/${this.#fd}/.`, Number((mtimeNs - nanoseconds) / SECOND), Number(nanoseconds));
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Node has no name for it: a descriptor that is a place, nothing more. */
const O_PATH = 0x200000;
const SECOND = 1_000_000_000n;

function moveTo(source: string, path: string, target: string): void {
  try {
    renameSync(source, path);
  } catch (error) {
    if (errnoOf(error) !== 'EXDEV') throw error;
    throw new BuildError(
      'sandbox',
      `what is to be mounted on \`${target}\` lies on another file system than the step's root`,
      {
        cause: error,
        hint: 'Nothing can be mounted here, so that it would have to be moved: keep the whole store on one file system (--root).',
      },
    );
  }
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) throw error;
  }
}
