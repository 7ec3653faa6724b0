import { relative } from 'node:path';

/**
 * A path without empty parts and `.`, and without `..` where it can be resolved: what Go's path.Clean gives. `.` for
 * nothing; a leading slash stays.
 */
export function normalPath(path: string): string {
  const isRooted = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part === '..' && isRooted) continue;
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return (isRooted ? '/' : '') + parts.join('/') || '.';
}

/** A path as a person would write it in the current folder. */
export function shownPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
