import { type Digest, digestOf, type Framed } from '../../src/core/digest.ts';
import type { FileList } from '../../src/core/ingredients.ts';
import type { LayerWriter, Scratch } from '../../src/core/store.ts';
import type { Layer, Snapshot } from '../../src/core/types.ts';
import { cleanPath } from '../path-resolve.ts';
import { type CopyInput, type CopySource, type CopyTools, checkInput, destinationOf } from './copy-input.ts';
import { contentText } from './copy-key.ts';
import { place } from './copy-place.ts';
import { type Item, pick } from './copy-select.ts';
import { contextTree, type SourceFile, type SourceTree, snapshotTree } from './copy-source.ts';
import { writePlan } from './copy-write.ts';

export type { CopyInput, CopySource, CopyTools } from './copy-input.ts';

/** The files of a COPY or ADD, chosen but not yet read. */
export interface Selection {
  /**
   * Names what is read by diffIds, paths and patterns, with the instruction's own words. Needs nothing at hand.
   * Undefined where the source is a context, which can only be known by reading.
   */
  readonly firstKey: Framed | undefined;
  /** Bytes that `contentKey` would have to read: files whose digest is not remembered. */
  readonly unreadBytes: number;
  /** `--link` in effect: the layer does not depend on what is below it. */
  readonly independent: boolean;
  /** Names the content: every file's digest, mode, owner, type, link, xattrs and name, and the instruction's words. */
  contentKey(): Promise<Framed>;
  /** The files that the content key names by one digest; undefined before it was asked for. */
  list(): FileList | undefined;
  /**
   * Writes the layer on top of `below` and returns the content key by the digests taken while writing. A file that
   * changed since its digest was taken fails with `context` and `retry`; the context then forgets what it saw, so
   * that the step can be started again with a new selection. The caller commits or abandons the writer.
   */
  write(below: readonly Layer[], writer: LayerWriter): Promise<Framed>;
}

/**
 * Chooses the files of a COPY or ADD (containerfile §2). For a context a missing source fails here with `not-found`;
 * for a snapshot nothing is looked at before `contentKey` or `write`.
 */
export async function selectFiles(
  input: CopyInput,
  source: CopySource,
  tools: CopyTools,
): Promise<Selection> {
  checkInput(input);
  const { layers } = tools.store;
  const isContext = source.kind === 'context';
  const tree = isContext
    ? contextTree(source.context, source.name)
    : snapshotTree(source.snapshot, layers, tools.signal);
  const selection = new CopySelection(input, tree, tools);
  if (isContext) await selection.choose();
  else selection.firstKey = firstKeyOf(input, source.snapshot);
  return selection;
}

class CopySelection implements Selection {
  firstKey: Framed | undefined;
  unreadBytes = 0;
  readonly independent: boolean;
  readonly #input: CopyInput;
  readonly #tree: SourceTree;
  readonly #tools: CopyTools;
  #items: Promise<Item[]> | undefined;
  #list: FileList | undefined;

  constructor(input: CopyInput, tree: SourceTree, tools: CopyTools) {
    this.#input = input;
    this.#tree = tree;
    this.#tools = tools;
    this.independent = input.link && input.chmod === undefined;
  }

  async choose(): Promise<void> {
    for (const file of filesOf(await this.#chosen())) {
      if (file.entry.type === 'file' && this.#tree.recall(file) === undefined)
        this.unreadBytes += file.entry.size;
    }
    if (this.#input.sources.length === 0) this.firstKey = await this.contentKey();
  }

  async contentKey(): Promise<Framed> {
    const items = await this.#chosen();
    const digests = await this.#tree.digests(filesOf(items));
    const text = contentText(items, digests);
    const files = digestOf(text);
    this.#list = { of: files, text, tops: topsOf(items) };
    return { ...wordsOf(this.#input), files };
  }

  list(): FileList | undefined {
    return this.#list;
  }

  async write(below: readonly Layer[], writer: LayerWriter): Promise<Framed> {
    const items = await this.#chosen();
    const tree = this.#tree;
    await using scratch = new LazyScratch(this.#tools);
    const ground = {
      below: this.independent ? [] : below,
      items,
      tree,
      tools: this.#tools,
      scratch: () => scratch.folder(),
    };
    const plan = await place(this.#input, ground);
    await writePlan(await plan.entries(), tree, writer);
    return await this.contentKey();
  }

  #chosen(): Promise<Item[]> {
    this.#items ??= pick(this.#input, this.#tree, this.#tools);
    return this.#items;
  }
}

function filesOf(items: readonly Item[]): SourceFile[] {
  return items.flatMap(({ top, below }) => [top, ...below.map(({ file }) => file)]);
}

/** More items than this are told of by their names alone. */
const MOST_TOPS = 1000;

/** Where items lie in their source; what was fetched lies under a name of ours, and has no place there. */
function topsOf(items: readonly Item[]): string[] {
  if (items.length > MOST_TOPS) return [];
  return items.map(({ top }) => (top.entry.path.startsWith('\0') ? '' : top.entry.path));
}

/** What the instruction itself says, as far as the layer depends on it. */
function wordsOf(input: CopyInput): { readonly [name: string]: Framed } {
  const { path, isDirectory } = destinationOf(input);
  return {
    step: input.kind,
    to: isDirectory ? `/${path}/` : `/${path}`,
    chown: input.chown,
    chmod: input.chmod,
    link: input.link,
    parents: input.parents || undefined,
    unpack: input.unpack,
    excludes: input.excludes?.length ? input.excludes : undefined,
    heredocs: input.heredocs.map(({ name, content }) => ({ name, content: digestOf(content) })),
  };
}

function firstKeyOf(input: CopyInput, { layers }: Snapshot): Framed {
  const from: Digest[] = layers.map(({ diffId }) => diffId);
  const { sources, parents, optional } = input;
  return {
    ...wordsOf(input),
    from,
    sources: sources.map((source) => (parents ? source : cleanPath(source))),
    optional: optional || undefined,
  };
}

/** Private folders for unpacked archives; nothing is made before the first is asked for. */
class LazyScratch implements AsyncDisposable {
  readonly #tools: CopyTools;
  #scratch: Promise<Scratch> | undefined;
  #count = 0;

  constructor(tools: CopyTools) {
    this.#tools = tools;
  }

  async folder(): Promise<string> {
    this.#scratch ??= this.#tools.store.scratch();
    return `${(await this.#scratch).path}/${this.#count++}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#scratch)?.[Symbol.asyncDispose]();
  }
}
