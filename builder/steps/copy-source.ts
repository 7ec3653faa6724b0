import { realpathSync } from 'node:fs';
import { bytesOf, pathOf } from '../../src/core/bytes.ts';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { Layers } from '../../src/core/store.ts';
import type { Entry, Layer, Snapshot } from '../../src/core/types.ts';
import type { Context, ContextFile } from '../context/context.ts';
import { baseOf, join, parentOf } from '../path-resolve.ts';
import { LayeredView, type Place } from '../view.ts';

/** A file that a COPY may take: its entry in the source, what is known of its content, and who else is the same file. */
export interface SourceFile {
  readonly entry: Entry;
  /** Equal for hard links to one file. */
  readonly sameFile?: string;
}

/** What COPY reads from: the build context, or the root filesystem of a stage or image. */
export interface SourceTree {
  /** As messages name it: `the build context`. */
  readonly name: string;
  /** The entry at a path, links not followed. */
  get(path: string): Promise<SourceFile | undefined>;
  /** Entries directly in a directory, sorted. */
  children(directory: string): Promise<readonly SourceFile[]>;
  /** Everything below a directory, sorted, the directory itself not included. */
  below(directory: string): Promise<readonly SourceFile[]>;
  /** A digest for every file among them; reads what is not known. */
  digests(files: readonly SourceFile[]): Promise<ReadonlyMap<string, Digest>>;
  /** The digest of the content where it is known without reading. */
  recall(file: SourceFile): Digest | undefined;
  /** Notes a digest that was computed on the way. */
  remember(file: SourceFile, digest: Digest): void;
  /** Absolute path of the bytes, without a link in it that the source could have made. */
  locate(file: SourceFile): string | Promise<string>;
  /** Forgets what was seen, after a file changed while it was read. */
  forget(): void;
  isIgnored(path: string): boolean;
}

/** The build context as messages name it. */
export const BUILD_CONTEXT = 'the build context';

export function contextTree(context: Context, name = BUILD_CONTEXT): SourceTree {
  return {
    name,
    get: async (path) => context.get(path),
    children: async (directory) => context.children(directory),
    below: async (directory) => context.list(directory).slice(1),
    digests: (files) => context.digests(files as readonly ContextFile[]),
    recall: (file) => context.recall(file as ContextFile),
    remember: (file, digest) => context.remember(file as ContextFile, digest),
    locate: (file) => (file as ContextFile).absolute,
    forget: () => context.forget(),
    isIgnored: (path) => context.isIgnored(path),
  };
}

/** The files of a snapshot by its listings; bytes are read from the trees of just those layers that hold them. */
export function snapshotTree(snapshot: Snapshot, layers: Layers, signal?: AbortSignal): SourceTree {
  return new SnapshotTree(snapshot, layers, signal);
}

interface LayerFile extends SourceFile {
  readonly place: Place;
}

class SnapshotTree implements SourceTree {
  readonly name = 'the stage or image that --from names';
  readonly #view: LayeredView;
  readonly #layers: Layers;
  readonly #signal: AbortSignal | undefined;
  readonly #folders = new Map<string, string>();

  constructor(snapshot: Snapshot, layers: Layers, signal?: AbortSignal) {
    this.#view = LayeredView.of(snapshot.layers, layers, signal);
    this.#layers = layers;
    this.#signal = signal;
  }

  async get(path: string): Promise<SourceFile | undefined> {
    const entry = await this.#view.lookup(path);
    return entry === undefined ? undefined : this.#fileOf(entry);
  }

  async children(directory: string): Promise<readonly SourceFile[]> {
    return (await this.#view.children(directory)).map((entry) => this.#fileOf(entry));
  }

  async below(directory: string): Promise<readonly SourceFile[]> {
    return (await this.#view.walk(directory)).map((entry) => this.#fileOf(entry));
  }

  async digests(files: readonly SourceFile[]): Promise<ReadonlyMap<string, Digest>> {
    const digests = new Map<string, Digest>();
    for (const file of files) {
      if (file.entry.type !== 'file') continue;
      const { layer, path } = (file as LayerFile).place;
      const digest = file.entry.digest ?? digestOf(await this.#layers.readFile(layer, path, this.#signal));
      digests.set(file.entry.path, digest);
    }
    return digests;
  }

  recall({ entry }: SourceFile): Digest | undefined {
    return entry.digest;
  }

  remember(): void {}

  async locate(file: SourceFile): Promise<string> {
    const { layer, path } = (file as LayerFile).place;
    return join(await this.#folder(layer, parentOf(path)), baseOf(path));
  }

  forget(): void {}

  isIgnored(): boolean {
    return false;
  }

  /** A directory of a layer's tree, refused where one of its components is a link. */
  async #folder(layer: Layer, directory: string): Promise<string> {
    const key = `${layer.diffId}/${directory}`;
    const known = this.#folders.get(key);
    if (known !== undefined) return known;
    const tree = realpathSync(await this.#layers.tree(layer, this.#signal));
    const folder = join(tree, directory);
    if (!realpathSync(pathOf(folder), 'buffer').equals(bytesOf(folder))) {
      throw new BuildError('context', `"/${directory}" of ${this.name} leads out of its layer`);
    }
    this.#folders.set(key, folder);
    return folder;
  }

  #fileOf(entry: Entry): SourceFile {
    if (entry.type !== 'file') return { entry };
    const place = this.#view.placeOf(entry);
    const file: LayerFile = { entry, place, sameFile: `${place.layer.diffId}:${place.path}` };
    return file;
  }
}
