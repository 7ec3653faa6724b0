import { lstatSync, readdirSync } from 'node:fs';
import { nameOf, pathOf } from '../src/core/bytes.ts';
import { dropOpaque, isOpaque } from '../src/sys/overlay.ts';

/**
 * Removes the opaque marks of an upper directory that hide nothing, since none of the trees below it (topmost first) has
 * such a directory. Kernels set more or fewer of those, and a copy of the root knows nothing of them: a layer is the same
 * without.
 */
export function dropIdleMarks(upper: string, lower: readonly string[]): void {
  dropBelow(upper, '', lower);
}

function dropBelow(upper: string, path: string, lower: readonly string[]): void {
  for (const name of foldersIn(`${upper}/${path}`)) {
    const inner = path === '' ? name : `${path}/${name}`;
    const here = pathOf(`${upper}/${inner}`);
    const seen = treesWith(inner, lower);
    if (seen.length === 0 && isOpaque(here)) dropOpaque(here);
    dropBelow(upper, inner, seen);
  }
}

/** The trees in which a directory can be seen, of those in which its parent can be. */
function treesWith(path: string, trees: readonly string[]): string[] {
  const seen: string[] = [];
  for (const tree of trees) {
    const here = pathOf(`${tree}/${path}`);
    const stat = lstatSync(here, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (!stat.isDirectory()) break;
    seen.push(tree);
    if (isOpaque(here)) break;
  }
  return seen;
}

function foldersIn(full: string): string[] {
  const entries = readdirSync(pathOf(full), { withFileTypes: true, encoding: 'buffer' });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => nameOf(entry.name as unknown as Buffer));
}
