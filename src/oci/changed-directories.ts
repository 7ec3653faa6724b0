import type { FileChange } from './file-diff.ts';

/** How many files of a directory differ, itself among them. */
export interface ChangedDirectory {
  /** Relative to the root; '' is the root itself. */
  readonly path: string;
  /** Whether those below it are counted, too. */
  readonly deep: boolean;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  /** Bytes that files have more, or less, than before. */
  readonly bytes: number;
}

interface Node {
  readonly path: string;
  readonly own: FileChange[];
  readonly children: Map<string, Node>;
  /** Of `own` and of all below. */
  count: number;
}

/**
 * Sums up many changes: by directories, at most so many, of which those with most changes are split up as far as that
 * goes.
 */
export function changedDirectories(
  changes: readonly FileChange[],
  most: number,
): readonly ChangedDirectory[] {
  const whole = new Set<Node>([treeOf(changes)]);
  const split = new Set<Node>();
  for (;;) {
    const room = most - whole.size - [...split].filter(({ own }) => own.length > 0).length;
    const next = [...whole]
      .filter(({ count }) => count > changes.length / most)
      .filter(({ children, own }) => children.size > 0 && children.size - (own.length > 0 ? 0 : 1) <= room)
      .sort((a, b) => b.count - a.count)[0];
    if (next === undefined) break;
    whole.delete(next);
    split.add(next);
    for (const child of next.children.values()) whole.add(child);
  }
  const parts = [
    ...[...split].map((node) => sumOf(node.path, node.own, false)),
    ...[...whole].map((node) => sumOf(node.path, all(node), true)),
  ];
  const found = parts.filter(({ added, removed, changed }) => added + removed + changed > 0);
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A changed directory counts within itself. */
function treeOf(changes: readonly FileChange[]): Node {
  const root: Node = { path: '', own: [], children: new Map(), count: 0 };
  for (const change of changes) {
    const parts = change.path.split('/');
    const isFolder = (change.after ?? change.before)?.type === 'dir';
    const folders = change.path === '' ? [] : isFolder ? parts : parts.slice(0, -1);
    let at = root;
    at.count++;
    for (const name of folders) {
      at = childOf(at, name);
      at.count++;
    }
    at.own.push(change);
  }
  return root;
}

function childOf(parent: Node, name: string): Node {
  const known = parent.children.get(name);
  if (known !== undefined) return known;
  const path = parent.path === '' ? name : `${parent.path}/${name}`;
  const made: Node = { path, own: [], children: new Map(), count: 0 };
  parent.children.set(name, made);
  return made;
}

function all({ own, children }: Node): FileChange[] {
  return [...own, ...[...children.values()].flatMap(all)];
}

function sumOf(path: string, changes: readonly FileChange[], deep: boolean): ChangedDirectory {
  const count = (how: FileChange['how']): number => changes.filter((change) => change.how === how).length;
  const bytes = changes.reduce((sum, { before, after }) => sum + (after?.size ?? 0) - (before?.size ?? 0), 0);
  return { path, deep, added: count('added'), removed: count('removed'), changed: count('changed'), bytes };
}
