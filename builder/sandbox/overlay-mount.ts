import { mkdirSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BuildError } from '../../src/core/errors.ts';
import type { Overlay } from './plan.ts';

/** A mount for the step's own process to make, in the folder of its names; `target` is absolute. */
export type SetupMount =
  | { readonly kind: 'overlay'; readonly options: string; readonly target: string }
  | { readonly kind: 'bind'; readonly source: string; readonly target: string; readonly readonly: boolean };

/** What the kernel's overlay takes, and what mount(2) keeps of its options before it cuts them in silence. */
const LARGEST_LOWER = 500;
const LARGEST_OPTIONS = 4000;

/** How the options of overlay mounts name paths, in the folder that is the working directory of the mounts. */
export interface PathNames {
  readonly folder: string;
  of(path: string): string;
}

/**
 * Names without any preparation, where that will do: all layers lie in one folder, and there are not so many that
 * their names fill the options.
 */
export function plainNames(trees: readonly Overlay[]): PathNames | undefined {
  const folder = dirname(trees[0]?.lower[0] ?? '/');
  const paths = trees.flatMap(({ lower, upper = '', work = '' }) => [...lower, upper, work]);
  const lengths = trees.map(({ lower, upper = '', work = '' }) =>
    [...lower.map((path) => basename(path)), upper, work].reduce((sum, name) => sum + name.length + 1, 0),
  );
  const fits = lengths.every((length) => length < LARGEST_OPTIONS / 2);
  const together = trees.every(({ lower }) => lower.every((path) => dirname(path) === folder));
  if (!fits || !together || !paths.every((path) => /^[\w./-]*$/.test(path))) return undefined;
  return { folder, of: (path) => (dirname(path) === folder ? basename(path) : path) };
}

/** Gives long paths short names: symbolic links in one folder. */
export class ShortNames implements PathNames {
  readonly folder: string;
  #count = 0;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { mode: 0o700 });
  }

  of(path: string): string {
    const name = (this.#count++).toString(36);
    symlinkSync(path, join(this.folder, name));
    return name;
  }
}

/**
 * The mount that lays `tree` out at `target`. Always `userxattr`, so that layers are the same for root and for an
 * ordinary user; what distributions may switch on besides is switched off, since it would change what the upper
 * directory holds. Throws `sandbox` where the kernel would not take so many layers.
 */
export function overlayMount(tree: Overlay, target: string, names: PathNames): SetupMount {
  const { lower, upper, work } = tree;
  if (lower.length > LARGEST_LOWER) throw tooManyLayers(lower.length);
  if (upper === undefined && lower.length === 1) {
    return { kind: 'bind', source: lower[0]!, target, readonly: true };
  }
  const writable =
    upper === undefined ? [] : [`upperdir=${names.of(upper)}`, `workdir=${names.of(work!)}`, 'index=off'];
  const below = lower.map((path) => names.of(path)).join(':');
  const options = [
    `lowerdir=${below}`,
    ...writable,
    'userxattr',
    'metacopy=off',
    'redirect_dir=nofollow',
  ].join(',');
  if (options.length > LARGEST_OPTIONS) throw tooManyLayers(lower.length);
  return { kind: 'overlay', options, target };
}

function tooManyLayers(count: number): BuildError {
  return new BuildError(
    'sandbox',
    `a step cannot run on ${count} layers: the kernel's overlay takes ${LARGEST_LOWER}`,
    {
      hint: 'Join RUN, COPY and ADD instructions, or start from an image with fewer layers.',
    },
  );
}

/** The kernel or a file system refuses the overlay: a root can still be a copy. */
export class OverlayRefusal extends BuildError {
  constructor(errno: string) {
    super('sandbox', `the overlay of the layers could not be mounted (${errno})`, {
      hint: 'The store must lie on a file system that overlay can write to (ext4, xfs, btrfs, tmpfs), not on another overlay: choose one with --root.',
    });
  }
}

/** Whether a step failed for its overlay alone. */
export function isOverlayRefusal(error: unknown): boolean {
  return error instanceof OverlayRefusal;
}
