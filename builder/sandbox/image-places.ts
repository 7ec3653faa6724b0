import type { Root, SandboxPlan } from './plan.ts';
import { missingParts, resolveIn } from './rootfs-view.ts';

/** Topmost first. */
export function layersOf(root: Root): readonly string[] {
  if ('folder' in root) return [root.folder];
  const { lower, upper } = root;
  return upper === undefined ? lower : [upper, ...lower];
}

/**
 * Links of the image are followed here, inside its root: runtimes differ in what they do with them. What lies below
 * another mount is not in the layers and is left to the engine, which stays inside the root as well.
 */
export function placeOf(target: string, plan: SandboxPlan, layers: readonly string[]): string {
  return isCovered(target, plan) ? target : `/${resolveIn(layers, target).path}`;
}

/** Whether something else is mounted above, so that the layers do not show what is there. */
export function isCovered(target: string, plan: SandboxPlan): boolean {
  const covers = [...system, ...plan.mounts.map((mount) => mount.target)];
  return covers.some((cover) => target.startsWith(`${cover}/`));
}

const system = ['/proc', '/sys', '/dev'];

/** All that is mounted on, and so made where it is missing. */
export function residueOf(plan: SandboxPlan, layers: readonly string[]): readonly string[] {
  const targets = [...system, '/etc/resolv.conf', '/etc/hosts', ...plan.mounts.map((m) => m.target)];
  const covered = system.map((path) => `${path}/`);
  const paths = targets.flatMap((target) => missingParts(layers, target));
  return [...new Set(paths)].filter((path) => !covered.some((cover) => `/${path}`.startsWith(cover))).sort();
}
