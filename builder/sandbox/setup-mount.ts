import type { SetupMount } from './overlay-mount.ts';
import { block, from, type Item } from './program/calls.ts';
import { attach, copyTree, mountOverlay, NODEV, RDONLY, setAttributes } from './program/mounts.ts';

/**
 * The root itself, or another from which mounts are taken: in the folder where the names of its options hold. `nodev`: a layer
 * may bring device nodes, and real root could open them.
 */
export function setupMount(mount: SetupMount): readonly Item[] {
  if (mount.kind === 'overlay') return [mountOverlay(mount.options, mount.target)];
  const tree = from(block());
  return [
    copyTree(mount.source, tree),
    setAttributes(tree, NODEV | (mount.readonly ? RDONLY : 0)),
    ...attach(tree, mount.target),
  ];
}
