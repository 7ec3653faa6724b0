import type { Digest } from '../core/digest.ts';
import type { EntryType } from '../core/types.ts';

/** What a layer did with a path, against what the layers below it show there. `kept`: a directory that was there. */
export type PathChange = 'added' | 'changed' | 'kept' | 'removed';

/** A file or directory of a layer, or of an image, and what it takes up. */
export interface FileNode {
  /** The last part of its path; '' for the root. A name as of `core/bytes.ts`. */
  readonly name: string;
  /** `whiteout` for what a layer removed. */
  readonly type: EntryType;
  readonly change: PathChange;
  /** Index of the layer that it comes from, the lowest being 0. */
  readonly layer: number;
  /** Bytes of its content and of all below it. A file with several names counts at the first of them. */
  readonly bytes: number;
  /** Files below it, itself among them; several names of a file count once. */
  readonly files: number;
  /** Of `bytes`, those that later layers replaced or removed. */
  readonly lost: number;
  /** The biggest first, equal ones by name. */
  readonly children: readonly FileNode[];
}

/** Bytes of a file, which may have several names in its layer. */
export interface Content {
  readonly bytes: number;
  readonly digest: Digest | undefined;
  readonly layer: number;
  /** Names by which the layers so far show it. */
  names: number;
  /** No name shows it any more. */
  lost: boolean;
}

/** A node while its tree is made. */
export interface Draft {
  readonly name: string;
  readonly type: EntryType;
  readonly change: PathChange;
  readonly layer: number;
  /** What tells one directory from another of the same name: mode, owner, attributes. */
  readonly look?: string;
  readonly content?: Content | undefined;
  readonly children: Map<string, Draft>;
}

/** Most nodes are files, which share this: nothing is ever put into it. */
const none = new Map<string, Draft>();

export function newDraft(fields: Omit<Draft, 'children'>): Draft {
  const { name, type, change, layer, look, content } = fields;
  const children = type === 'dir' ? new Map<string, Draft>() : none;
  return { name, type, change, layer, content, children, ...(look !== undefined && { look }) };
}

/** The tree under a draft, with sums. */
export function treeOf(draft: Draft): FileNode {
  return sum(draft, new Set());
}

/** A file or directory somewhere in a tree. */
export interface Sized {
  /** Relative to the root, as entries have it. */
  readonly path: string;
  readonly bytes: number;
  readonly files: number;
  readonly lost: number;
  readonly layer: number;
}

/** The files with most bytes, the biggest first. */
export function biggestFiles(tree: FileNode, count: number): Sized[] {
  const found = [...below(tree)].filter(({ node }) => node.type !== 'dir' && node.bytes > 0);
  return firstOf(found, count);
}

/**
 * The directories with most bytes below them, the biggest first. One that another fills nearly whole says nothing of its
 * own and is left out, as is the root.
 */
export function biggestDirectories(tree: FileNode, count: number): Sized[] {
  const found = [...below(tree)].filter(
    ({ node }) => node.type === 'dir' && node.bytes > 0 && !isShell(node),
  );
  return firstOf(found, count);
}

function sum(draft: Draft, counted: Set<Content>): FileNode {
  const { name, type, change, layer, content } = draft;
  const own = content !== undefined && !counted.has(content) ? content : undefined;
  if (own !== undefined) counted.add(own);
  const children = draft.type === 'dir' ? sumsOf(draft, counted) : noSums;
  const all = (value: (node: FileNode) => number): number =>
    children.reduce((total, child) => total + value(child), 0);
  return {
    name,
    type,
    change,
    layer,
    bytes: (own?.bytes ?? 0) + all((child) => child.bytes),
    files: (own === undefined ? 0 : 1) + all((child) => child.files),
    lost: (own?.lost ? own.bytes : 0) + all((child) => child.lost),
    children,
  };
}

const noSums: readonly FileNode[] = [];

function sumsOf({ children }: Draft, counted: Set<Content>): readonly FileNode[] {
  const sums = [...children.values()].map((child) => sum(child, counted));
  return sums.sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
}

interface Found {
  readonly path: string;
  readonly node: FileNode;
}

function* below(tree: FileNode, folder = ''): Generator<Found> {
  for (const node of tree.children) {
    const path = `${folder}${node.name}`;
    yield { path, node };
    yield* below(node, `${path}/`);
  }
}

function firstOf(found: readonly Found[], count: number): Sized[] {
  const sorted = found.toSorted((a, b) => b.node.bytes - a.node.bytes || (a.path < b.path ? -1 : 1));
  return sorted.slice(0, count).map(({ path, node: { bytes, files, lost, layer } }) => ({
    path,
    bytes,
    files,
    lost,
    layer,
  }));
}

/** Nine tenths of it lie in one directory of its own. */
function isShell({ children, bytes }: FileNode): boolean {
  return children.some((child) => child.type === 'dir' && child.bytes > bytes * 0.9);
}
