import type { Digest } from '../../src/core/digest.ts';
import type { Entry } from '../../src/core/types.ts';

/** A file of a context: its entry as it would enter a layer (owner 0:0), and where its bytes are. */
export interface ContextFile {
  readonly entry: Entry;
  /** Absolute path of the bytes; opened without following links. */
  readonly absolute: string;
}

/** The files that a build may read: a folder as the ignore file leaves it. Walked once, lazily. */
export interface Context {
  /** Every visible entry, sorted by path, the root ('') first; files carry no digest yet. */
  list(): readonly ContextFile[];
  get(path: string): ContextFile | undefined;
  /** Content digests of files, from the stat cache where their state is unchanged. */
  digests(files: readonly ContextFile[]): Promise<ReadonlyMap<string, Digest>>;
  /** True when the path exists but an ignore pattern hides it. */
  isIgnored(path: string): boolean;
  /** Writes what was learnt about unchanged files. */
  save(): Promise<void>;
}
