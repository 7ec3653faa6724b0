import type { Entry, Listing } from '../core/types.ts';
import { type Content, type Draft, newDraft, type PathChange } from './layer-tree.ts';

/** Bytes of one layer that another one hid at one path. */
export interface Loss {
  /** What was replaced or removed: a file, or a directory with all below it. */
  readonly path: string;
  readonly bytes: number;
  readonly files: number;
  /** Index of the layer that holds the bytes in vain. */
  readonly layer: number;
  /** Index of the layer that hid them. */
  readonly by: number;
  /** `repeated`: by a file with the same content, of which only mode, owner or time are others. */
  readonly how: 'removed' | 'replaced' | 'repeated';
}

/** No system takes longer paths: an archive with such is hostile, and deep enough to exhaust us. */
const longestPath = 4096;

/** The layers so far, as one file system. */
export class Stack {
  readonly image = newDraft({ name: '', type: 'dir', change: 'added', layer: 0 });
  readonly losses: Loss[] = [];

  /** Lays a layer on top; gives its own tree. */
  add(listing: Listing, layer: number): Draft {
    const root = newDraft({ name: '', type: 'dir', change: layer === 0 ? 'added' : 'kept', layer });
    const contents = contentsOf(listing, layer);
    const losing = new Losing(layer);
    for (const entry of listing) {
      if (entry.path.length > longestPath) continue;
      const content = contents.get(entry.path);
      const change = this.#place(entry, content, losing);
      put(root, entry, { change, layer, content });
    }
    this.losses.push(...losing.all);
    return root;
  }

  #place(entry: Entry, content: Content | undefined, losing: Losing): PathChange {
    const { path, type } = entry;
    if (type === 'opaque') return this.#empty(path, losing);
    if (path === '') return 'kept';
    const [folder, name] = split(path);
    const { children: beside } = this.#folder(folder, losing);
    const former = beside.get(name);
    const isFolder = type === 'dir' && former?.type === 'dir';
    if (former !== undefined && !isFolder) losing.lose(former, path, howLost(entry, former));
    if (type === 'whiteout') {
      beside.delete(name);
      return 'removed';
    }
    const look = type === 'dir' ? lookOf(entry) : undefined;
    const change = changeOf(former, isFolder && (former.look ?? look) === look);
    const draft = newDraft({
      name,
      type,
      change,
      layer: losing.by,
      content,
      ...(look !== undefined && { look }),
    });
    beside.set(name, isFolder ? { ...draft, children: former.children } : draft);
    if (content !== undefined) content.names++;
    return change;
  }

  #empty(path: string, losing: Losing): PathChange {
    const folder = this.#folder(path, losing);
    for (const child of folder.children.values()) losing.lose(child, path, 'removed');
    folder.children.clear();
    return 'changed';
  }

  /** The directory at `path`, which a layer may imply without an entry. */
  #folder(path: string, losing: Losing): Draft {
    let at = this.image;
    for (const name of path === '' ? [] : path.split('/')) {
      let next = at.children.get(name);
      if (next?.type !== 'dir') {
        if (next !== undefined) losing.lose(next, path, 'replaced');
        next = newDraft({ name, type: 'dir', change: 'added', layer: losing.by });
        at.children.set(name, next);
      }
      at = next;
    }
    return at;
  }
}

/** What one layer hides of those below it. */
class Losing {
  readonly by: number;
  readonly #losses = new Map<string, Loss>();

  constructor(by: number) {
    this.by = by;
  }

  get all(): Iterable<Loss> {
    return this.#losses.values();
  }

  /** A node and all below it are no longer seen, for what the layer did at `path`. */
  lose({ content, children }: Draft, path: string, how: Loss['how']): void {
    if (content !== undefined && --content.names === 0) {
      content.lost = true;
      this.#note(content, path, how);
    }
    for (const child of children.values()) this.lose(child, path, how);
  }

  #note({ bytes, layer }: Content, path: string, how: Loss['how']): void {
    if (bytes === 0) return;
    const key = `${layer} ${path}`;
    const known = this.#losses.get(key) ?? { path, bytes: 0, files: 0, layer, by: this.by, how };
    this.#losses.set(key, { ...known, bytes: known.bytes + bytes, files: known.files + 1 });
  }
}

function contentsOf(listing: Listing, layer: number): Map<string, Content> {
  const contents = new Map<string, Content>();
  for (const { path, type, size, digest } of listing)
    if (type === 'file') contents.set(path, { bytes: size, digest, layer, names: 0, lost: false });
  for (const { path, type, link = '' } of listing) {
    const content = type === 'hardlink' ? contents.get(link) : undefined;
    if (content !== undefined) contents.set(path, content);
  }
  return contents;
}

function changeOf(former: Draft | undefined, isSame: boolean): PathChange {
  if (former === undefined) return 'added';
  return isSame ? 'kept' : 'changed';
}

function howLost(entry: Entry, former: Draft): Loss['how'] {
  if (entry.type === 'whiteout') return 'removed';
  const isSame = entry.digest !== undefined && entry.digest === former.content?.digest;
  return isSame ? 'repeated' : 'replaced';
}

function lookOf({ mode, uid, gid, xattrs }: Entry): string {
  return JSON.stringify([mode, uid, gid, xattrs]);
}

/** Enters an entry into the tree of its own layer. */
function put(
  root: Draft,
  { path, type }: Entry,
  { change, layer, content }: Pick<Draft, 'change' | 'layer' | 'content'>,
): void {
  if (path === '') return;
  const [folder, name] = split(path);
  let at = root;
  for (const part of folder === '' ? [] : folder.split('/')) at = child(at, part, layer);
  if (type === 'opaque') child(at, name, layer);
  else at.children.set(name, newDraft({ name, type, change, layer, content }));
}

function child(parent: Draft, name: string, layer: number): Draft {
  const known = parent.children.get(name);
  if (known?.type === 'dir') return known;
  const made = newDraft({ name, type: 'dir', change: 'kept', layer });
  parent.children.set(name, made);
  return made;
}

function split(path: string): readonly [string, string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
}
