import { lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '../../src/core/errors.ts';
import { isOpaque, isWhiteout } from '../../src/sys/overlay.ts';

/** Where a path leads inside a root, every link followed without ever leaving it. */
export interface Resolved {
  /** Relative to the root, without links; '' is the root itself. */
  readonly path: string;
  /** How many leading components exist. */
  readonly existing: number;
  /** It exists and is a directory. */
  readonly directory: boolean;
}

/** A place in the merged tree: its components, and the layers (topmost first) that make up the directory. */
interface Place {
  readonly path: readonly string[];
  readonly layers: readonly string[];
  readonly exists: boolean;
}

/**
 * Resolves a path in the tree that `layers` (topmost first) make when overlaid, by looking at the layers themselves:
 * nothing is mounted and no link is followed by the kernel. Use it only while no step can change the layers.
 */
export function resolveIn(layers: readonly string[], path: string): Resolved {
  const root: Place = { path: [], layers, exists: true };
  const trail = [root];
  const waiting = components(path).reverse();
  let links = 0;
  while (waiting.length > 0) {
    const name = waiting.pop()!;
    if (name === '..') {
      if (trail.length > 1) trail.pop();
      continue;
    }
    const found = look(trail.at(-1)!, name);
    if (found.link === undefined) {
      trail.push(found.place);
      continue;
    }
    if (++links > 40) throw new BuildError('sandbox', `too many symbolic links on the way to \`${path}\``);
    if (found.link.startsWith('/')) trail.length = 1;
    waiting.push(...components(found.link).reverse());
  }
  const last = trail.at(-1)!;
  return {
    path: last.path.join('/'),
    existing: trail.filter((place) => place.exists).length - 1,
    directory: last.exists && last.layers.length > 0,
  };
}

/** The paths that mounting on `target` would make: itself and its parents, as far as they do not exist; outermost first. */
export function missingParts(layers: readonly string[], target: string): readonly string[] {
  const { path, existing } = resolveIn(layers, target);
  const parts = components(path);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/')).slice(existing);
}

function components(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function look(parent: Place, name: string): { readonly place: Place; readonly link?: string } {
  const path = [...parent.path, name];
  const dirs: string[] = [];
  for (const layer of parent.layers) {
    const here = join(layer, ...path);
    const stat = lstatSync(here, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (isWhiteout(stat)) break;
    if (stat.isDirectory()) {
      dirs.push(layer);
      if (layer !== parent.layers.at(-1) && isOpaque(here)) break;
      continue;
    }
    if (dirs.length > 0) break;
    const place = { path, layers: [], exists: true };
    return stat.isSymbolicLink() ? { place, link: readlinkSync(here) } : { place };
  }
  return { place: { path, layers: dirs, exists: dirs.length > 0 } };
}
