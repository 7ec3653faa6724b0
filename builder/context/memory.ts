import type { Digest } from '../../src/core/digest.ts';
import { parentOf } from '../path-resolve.ts';
import type { Context, ContextFile } from './context.ts';
import { hashFiles } from './hash-files.ts';

/**
 * A context of which every entry is known: an unpacked archive, or nothing. Directories that only their contents
 * imply are added. No ignore file applies to it (spec: containerfile §6).
 */
export function memoryContext(files: readonly ContextFile[]): Context {
  return new MemoryContext(files);
}

class MemoryContext implements Context {
  readonly #files = new Map<string, ContextFile>();
  readonly #sorted: readonly ContextFile[];
  readonly #digests = new Map<ContextFile, Digest>();
  #children: ReadonlyMap<string, readonly ContextFile[]> | undefined;

  constructor(files: readonly ContextFile[]) {
    for (const file of files) this.#files.set(file.entry.path, file);
    for (const { entry } of files) this.#addParents(entry.path);
    if (!this.#files.has('')) this.#files.set('', directory(''));
    this.#sorted = [...this.#files.values()].sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1));
  }

  list(under = ''): readonly ContextFile[] {
    if (under === '') return this.#sorted;
    return this.#sorted.filter(({ entry }) => entry.path === under || entry.path.startsWith(`${under}/`));
  }

  children(parent: string): readonly ContextFile[] {
    this.#children ??= byParent(this.#sorted);
    return this.#children.get(parent) ?? [];
  }

  get(path: string): ContextFile | undefined {
    return this.#files.get(path);
  }

  async digests(files: readonly ContextFile[]): Promise<ReadonlyMap<string, Digest>> {
    const wanted = files.filter(({ entry }) => entry.type === 'file');
    const read = await hashFiles(wanted.filter((file) => !this.#digests.has(file)));
    for (const file of wanted) {
      const digest = read.get(file.entry.path);
      if (digest !== undefined) this.#digests.set(file, digest);
    }
    return new Map(wanted.map((file) => [file.entry.path, this.#digests.get(file)!]));
  }

  recall(file: ContextFile): Digest | undefined {
    return this.#digests.get(file);
  }

  remember(file: ContextFile, digest: Digest): void {
    this.#digests.set(file, digest);
  }

  forget(): void {
    this.#digests.clear();
  }

  isIgnored(): boolean {
    return false;
  }

  async save(): Promise<void> {}

  #addParents(path: string): void {
    for (let at = parentOf(path); at !== '' && !this.#files.has(at); at = parentOf(at)) {
      this.#files.set(at, directory(at));
    }
  }
}

/** In the order given; the root is nobody's child. */
function byParent(files: readonly ContextFile[]): ReadonlyMap<string, readonly ContextFile[]> {
  const children = new Map<string, ContextFile[]>();
  for (const file of files) {
    const { path } = file.entry;
    if (path === '') continue;
    const siblings = children.get(parentOf(path));
    if (siblings === undefined) children.set(parentOf(path), [file]);
    else siblings.push(file);
  }
  return children;
}

function directory(path: string): ContextFile {
  return { entry: { path, type: 'dir', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 }, absolute: '' };
}
