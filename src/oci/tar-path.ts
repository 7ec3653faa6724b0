import { tarError } from './tar-header.ts';

/** What the name of an entry says (image-spec, layer.md, "Whiteouts"). */
export interface Named {
  readonly path: string;
  /** `skip`: bookkeeping of aufs (`.wh..wh.plnk`), no part of the layer. */
  readonly kind: 'plain' | 'whiteout' | 'opaque' | 'skip';
}

const prefix = '.wh.';
const unclean = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * A path of an archive, relative to the root: `./a//b/` is `a/b`. Throws `layer` for a path with `..`, which could
 * leave the root.
 */
export function normalise(path: string): string {
  if (!unclean.test(path)) return path;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) {
    throw tarError(
      `has an entry with ".." in its path: ${shown(path)}`,
      'Make the archive anew from inside its folder.',
    );
  }
  return parts.join('/');
}

/** Takes a normalised path for what it means: itself, a whiteout of another, or an opaque mark. */
export function named(path: string): Named {
  if (!isReserved(path)) return { path, kind: 'plain' };
  const slash = path.lastIndexOf('/');
  const folder = slash < 0 ? '' : path.slice(0, slash);
  const name = path.slice(slash + 1);
  if (isReserved(folder)) {
    if (/(?:^|\/)\.wh\.\.wh\./.test(folder)) return { path, kind: 'skip' };
    throw tarError(`has an entry inside a whiteout: ${shown(path)}`);
  }
  if (name === '.wh..wh..opq') return { path: folder, kind: 'opaque' };
  if (name.startsWith('.wh..wh.')) return { path, kind: 'skip' };
  const hidden = name.slice(prefix.length);
  if (hidden === '' || hidden === '.' || hidden === '..') {
    throw tarError(`has a whiteout that names nothing: ${shown(path)}`);
  }
  return { path: slash < 0 ? hidden : `${folder}/${hidden}`, kind: 'whiteout' };
}

/** The name of the file that hides `path`, or of the opaque mark of the directory `path`. */
export function whiteoutOf(path: string, kind: 'whiteout' | 'opaque'): string {
  if (kind === 'opaque') return path === '' ? '.wh..wh..opq' : `${path}/.wh..wh..opq`;
  const slash = path.lastIndexOf('/') + 1;
  return `${path.slice(0, slash)}${prefix}${path.slice(slash)}`;
}

/** True when a component of the path begins with `.wh.`: such a file cannot be part of an image. */
export function isReserved(path: string): boolean {
  return path.includes(prefix) && (path.startsWith(prefix) || path.includes(`/${prefix}`));
}

/** A path as an error shows it: quoted, odd bytes escaped. */
export function shown(path: string): string {
  return JSON.stringify(path);
}
