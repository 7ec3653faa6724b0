import { BuildError } from '../src/core/errors.ts';
import type { Entry } from '../src/core/types.ts';

/** Where a path leads once every symlink on the way is followed; `entry` is absent where nothing is there. */
export interface Resolved {
  /** Relative to the root, no symlink in it but perhaps the last component. */
  readonly path: string;
  readonly entry?: Entry;
}

/** What stands at a path, itself not followed. */
export type Lookup = (path: string) => Promise<Entry | undefined>;

/** As many links as Linux follows in one path. */
const MAX_LINKS = 40;

/**
 * Follows symlinks component by component, as the kernel would after a chroot: absolute targets start at the root,
 * `..` stops there. Components that do not exist are kept as written. `followLast: false` leaves a link in the last
 * component alone. Fails with `context` after 40 links.
 */
export async function resolveIn(lookup: Lookup, path: string, followLast: boolean): Promise<Resolved> {
  let done = '';
  let entry = await lookup('');
  let links = 0;
  const rest = componentsOf(path);
  while (rest.length > 0) {
    const component = rest.shift()!;
    const next = component === '..' ? parentOf(done) : join(done, component);
    entry = await lookup(next);
    if (entry?.type === 'symlink' && (rest.length > 0 || followLast)) {
      if (++links > MAX_LINKS) throw new BuildError('context', `too many symbolic links in "/${path}"`);
      const target = entry.link ?? '';
      rest.unshift(...componentsOf(target));
      if (target.startsWith('/')) done = '';
      entry = await lookup(done);
    } else {
      done = next;
    }
  }
  return entry === undefined ? { path: done } : { path: done, entry };
}

/** A path as people write it, made relative to the root: `.`, `..` and doubled slashes are gone, never above the root. */
export function cleanPath(path: string): string {
  const kept: string[] = [];
  for (const component of componentsOf(path)) {
    if (component === '..') kept.pop();
    else kept.push(component);
  }
  return kept.join('/');
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function join(directory: string, name: string): string {
  if (directory === '') return name;
  return name === '' ? directory : `${directory}/${name}`;
}

function componentsOf(path: string): string[] {
  return path.split('/').filter((component) => component !== '' && component !== '.');
}
