import type { Digest } from '../../src/core/digest.ts';
import type { Entry } from '../../src/core/types.ts';

/** A file of a context: its entry as it would enter a layer (owner 0:0), and where its bytes are. */
export interface ContextFile {
  readonly entry: Entry;
  /** Absolute path of the bytes (a name as of `core/bytes.ts`); opened without following links. */
  readonly absolute: string;
  /** Equal for names of one file (hard links); absent where the file has one name only. */
  readonly sameFile?: string;
}

/** The files that a build may read: a folder as the ignore file leaves it. Walked once, lazily. */
export interface Context {
  /**
   * Every visible entry at and below `under` (default '', the root), sorted by path, `under` itself first; files
   * carry no digest yet. Empty where `under` is not visible.
   */
  list(under?: string): readonly ContextFile[];
  /** The visible entries directly in a directory, sorted by path. */
  children(directory: string): readonly ContextFile[];
  get(path: string): ContextFile | undefined;
  /** Content digests of files, from the stat cache where their state is unchanged. */
  digests(files: readonly ContextFile[]): Promise<ReadonlyMap<string, Digest>>;
  /** The digest that is known without reading the file. */
  recall(file: ContextFile): Digest | undefined;
  /** Notes a digest that was computed while the file was read for something else. */
  remember(file: ContextFile, digest: Digest): void;
  /** Drops what was walked: a step that starts again sees the files as they are now. */
  forget(): void;
  /** True when the path exists but an ignore pattern hides it. */
  isIgnored(path: string): boolean;
  /** Writes what was learnt about unchanged files. */
  save(): Promise<void>;
}
