import { mkdirSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BuildError } from '../../src/core/errors.ts';
import type { Overlay } from './plan.ts';

/** One mount(8) for the step's own process to make, in the folder of its names. */
export interface SetupMount {
  readonly type: string;
  readonly source: string;
  readonly options: string;
  /** Absolute. */
  readonly target: string;
}

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
 * directory holds. `nodev`: a layer may bring device nodes, and real root could open them. Throws `sandbox` where the
 * kernel would not take so many layers.
 */
export function overlayMount(tree: Overlay, target: string, names: PathNames): SetupMount {
  const { lower, upper, work } = tree;
  if (lower.length > LARGEST_LOWER) throw tooManyLayers(lower.length);
  if (upper === undefined && lower.length === 1) {
    return { type: 'none', source: lower[0]!, options: 'bind,ro,nodev', target };
  }
  const writable =
    upper === undefined ? [] : [`upperdir=${names.of(upper)}`, `workdir=${names.of(work!)}`, 'index=off'];
  const below = lower.map((path) => names.of(path)).join(':');
  const options = [
    'nodev',
    `lowerdir=${below}`,
    ...writable,
    'userxattr',
    'metacopy=off',
    'redirect_dir=nofollow',
  ].join(',');
  if (options.length > LARGEST_OPTIONS) throw tooManyLayers(lower.length);
  return { type: 'overlay', source: 'overlay', options, target };
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
