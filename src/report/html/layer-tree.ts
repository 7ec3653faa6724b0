import { formatBytes } from '../format.ts';
import { html, type Markup } from './markup.ts';
import type { TreeNode } from './report-data.ts';

/** What a layer holds, the biggest first: at most `rows` files and directories, and how much is left out. */
export function layerTree(tree: TreeNode, rows: number): Markup {
  if (tree.children.length === 0) return html`<p class="none">The layer holds nothing.</p>`;
  return branch(tree, { shown: biggest(tree, rows), whole: Math.max(1, tree.bytes) });
}

interface Shown {
  readonly shown: ReadonlySet<TreeNode>;
  /** Bytes of the layer: what bars are parts of. */
  readonly whole: number;
}

/** The nodes with most bytes, each with all that lead to it. */
function biggest(tree: TreeNode, rows: number): Set<TreeNode> {
  const shown = new Set<TreeNode>();
  const next = [{ siblings: tree.children, at: 0 }];
  const weight = ({ siblings, at }: (typeof next)[number]): number => siblings[at]?.bytes ?? -1;
  while (shown.size < rows) {
    const best = next.reduce((a, b) => (weight(b) > weight(a) ? b : a));
    const node = best.siblings[best.at];
    if (node === undefined) break;
    shown.add(node);
    best.at++;
    if (node.children.length > 0) next.push({ siblings: node.children, at: 0 });
  }
  return shown;
}

function branch({ children }: TreeNode, among: Shown): Markup {
  const visible = children.filter((child) => among.shown.has(child));
  const rest = children.filter((child) => !among.shown.has(child));
  return html`<ul class="tree">${visible.map((child) => row(child, among))}${rest.length > 0 && restRow(rest)}</ul>`;
}

function row(first: TreeNode, among: Shown): Markup {
  const { node, name } = withoutSteps(first, among.shown);
  const size = node.type === 'whiteout' ? '' : formatBytes(node.bytes);
  const line = html`<code${node.change !== 'added' && html` class="${node.change}"`}>${name}${node.type === 'dir' && '/'}</code>${tags(node)}${meter(node, among.whole)}<span class="size">${size}</span>`;
  if (!node.children.some((child) => among.shown.has(child))) return html`<li class="row">${line}</li>`;
  return html`<li><details open><summary class="row">${line}</summary>${branch(node, among)}</details></li>`;
}

/** A directory that holds nothing but another one shares a line with it. */
function withoutSteps(
  first: TreeNode,
  shown: ReadonlySet<TreeNode>,
): { readonly node: TreeNode; readonly name: string } {
  const names = [first.name];
  let node = first;
  for (
    let only = node.children[0];
    node.children.length === 1 && only?.type === 'dir';
    only = node.children[0]
  ) {
    if (!shown.has(only)) break;
    names.push(only.name);
    node = only;
  }
  return { node, name: names.join('/') };
}

function tags({ type, change, lost, bytes }: TreeNode): Markup {
  const kinds: Readonly<Record<string, string>> = {
    symlink: 'link',
    hardlink: 'second name',
    opaque: 'emptied',
  };
  return html`${change === 'removed' && html`<em class="tag removed">deleted</em>`}
    ${change === 'changed' && type !== 'dir' && html`<em class="tag">changed</em>`}
    ${kinds[type] !== undefined && html`<em class="tag">${kinds[type]}</em>`}
    ${lost > 0 && html`<em class="tag lost">${lost === bytes ? 'lost' : `${formatBytes(lost)} lost`}</em>`}`;
}

/** How much of the layer it is, and of that, what later layers hide; nothing where that is too little to be seen. */
function meter({ bytes, lost }: TreeNode, whole: number): Markup | undefined {
  const [all, hidden] = [share(bytes, whole), share(lost, whole)];
  if (all < 1) return undefined;
  return html`<svg class="meter"><rect width="${all}%"/>${hidden > 0 && html`<rect class="lost" width="${hidden}%"/>`}</svg>`;
}

function share(bytes: number, whole: number): number {
  return Math.round((bytes / whole) * 100);
}

function restRow(rest: readonly TreeNode[]): Markup {
  const bytes = rest.reduce((sum, node) => sum + node.bytes, 0);
  return html`<li class="row rest">and ${rest.length} more<span class="size">${formatBytes(bytes)}</span></li>`;
}
