import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '../../src/core/errors.ts';
import { layersOf } from './image-places.ts';
import { overlayMount, type PathNames, plainNames, type SetupMount, ShortNames } from './overlay-mount.ts';
import type { Mount, Overlay, Root, SandboxPlan } from './plan.ts';
import { resolveIn } from './rootfs-view.ts';

/** The roots that a step's own process mounts, in folders made for them. */
export interface StepRoots {
  /** Where the names in the options of `setup` hold. */
  readonly names: string;
  readonly setup: readonly SetupMount[];
  /** Absolute path at which the root is mounted. */
  readonly rootfs: string;
  /** An empty folder, for a file system in memory. */
  readonly memory: string;
  /** Absolute source of each mount of the plan, by its position; what is made of nothing has none. */
  readonly sources: readonly (string | undefined)[];
  /** Layers of the root, topmost first. */
  readonly layers: readonly string[];
}

/** Makes the folders of a step's roots in `folder`. Fails where there are too many layers, or a mount has no source. */
export function layOutRoots(plan: SandboxPlan, folder: string): StepRoots {
  const [rootfs, memory] = [join(folder, 'rootfs'), join(folder, 'memory')];
  for (const path of [folder, rootfs, memory]) mkdirSync(path, { mode: 0o700 });
  const root = 'folder' in plan.root ? undefined : rootOf(plan.root, folder);
  const trees = plan.mounts.flatMap((mount) => (mount.kind === 'tree' ? [mount.tree] : []));
  const names = plainNames([root ?? [], trees].flat()) ?? new ShortNames(join(folder, 'l'));
  const setup: SetupMount[] = [
    root === undefined ? ownFolder(plan.root, rootfs) : overlayMount(root, rootfs, names),
  ];
  const sources = plan.mounts.map((mount, at) =>
    sourceOf(mount, { aside: join(folder, `t${at}`), names, setup, memory: join(memory, String(at)) }),
  );
  return { names: names.folder, setup, rootfs, memory, sources, layers: layersOf(plan.root) };
}

/** An overlay needs something below: an empty directory for `FROM scratch`. */
function rootOf(root: Overlay, folder: string): Overlay {
  if (root.lower.length > 0) return root;
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  return { ...root, lower: [empty] };
}

function ownFolder(root: Root, target: string): SetupMount {
  return { kind: 'bind', source: layersOf(root)[0]!, target, readonly: false };
}

interface Aside {
  readonly aside: string;
  readonly names: PathNames;
  readonly setup: SetupMount[];
  readonly memory: string;
}

/** The path from which a mount is bound; another root filesystem is first mounted aside. */
function sourceOf(mount: Mount, { aside, names, setup, memory }: Aside): string | undefined {
  if (mount.kind === 'tmpfs') return undefined;
  if (mount.kind === 'bind') return mount.source;
  if (mount.kind === 'file') return memory;
  const path = pathIn(layersOf(mount.tree), mount);
  mkdirSync(aside, { mode: 0o755 });
  setup.push(overlayMount(mount.tree, aside, names));
  return join(aside, path);
}

/** Where `path` leads in a tree that is to be mounted on `target`; fails with `not-found` where there is nothing. */
export function pathIn(
  layers: readonly string[],
  { path, target }: { readonly path: string; readonly target: string },
): string {
  const found = resolveIn(layers, path);
  if (found.existing === found.path.split('/').filter((part) => part !== '').length) return found.path;
  throw new BuildError('not-found', `\`${path}\` does not exist in what is to be mounted on \`${target}\``);
}
