import type { SetupMount } from './overlay-mount.ts';
import { block, from, type Item } from './program/calls.ts';
import {
  attach,
  clearAttributes,
  copyTree,
  mountOverlay,
  NODEV,
  NOEXEC,
  NOSUID,
  RDONLY,
  setAttributes,
} from './program/mounts.ts';

/**
 * The root itself, or another from which mounts are taken: in the folder where the names of its options hold. `nodev`: a layer
 * may bring device nodes, and real root could open them. What the mount of the store forbids besides, an overlay over it would
 * not: `noexec` and `nosuid`.
 */
export function setupMount(mount: SetupMount): readonly Item[] {
  if (mount.kind === 'overlay') return [mountOverlay(mount.options, mount.target)];
  const tree = from(block());
  return [
    copyTree(mount.source, tree),
    setAttributes(tree, NODEV | (mount.readonly ? RDONLY : 0)),
    clearAttributes(tree, NOEXEC | NOSUID),
    ...attach(tree, mount.target),
  ];
}
