import type { Digest } from '../../src/core/digest.ts';
import type { Context, ContextFile } from './context.ts';
import { memoryContext } from './memory.ts';

/** Files that were fetched for one source of an ADD. */
export interface Fetched {
  /** Paths relative to the source; a lone file, or a directory with all below it ('' itself first). */
  readonly files: readonly ContextFile[];
}

/** No path of a real context begins so: a NUL cannot stand in a file's name. */
const PLACE = '\0fetched';

/** The path under which a joined context shows the files of the source at `index`; a pattern, for a file keeps its name. */
export function placeOf({ files }: Fetched, index: number): string {
  return files[0]?.entry.path === '' ? `${PLACE}/${index}` : `${PLACE}/${index}/*`;
}

/** A context that also shows what was fetched for an ADD, so that local and fetched sources are copied alike. */
export function joinedContext(local: Context, fetched: ReadonlyMap<number, Fetched>): Context {
  const files = [...fetched].flatMap(([index, source]) =>
    source.files.map((file) => placed(file, `${PLACE}/${index}`)),
  );
  return new JoinedContext(local, memoryContext(files));
}

/** True for a file that was fetched: an archive among those is unpacked only where that is asked for. */
export function isFetched({ entry }: Pick<ContextFile, 'entry'>): boolean {
  return entry.path.startsWith(PLACE);
}

function placed(file: ContextFile, under: string): ContextFile {
  const { path } = file.entry;
  return { ...file, entry: { ...file.entry, path: path === '' ? under : `${under}/${path}` } };
}

class JoinedContext implements Context {
  readonly #local: Context;
  readonly #fetched: Context;

  constructor(local: Context, fetched: Context) {
    this.#local = local;
    this.#fetched = fetched;
  }

  list(under = ''): readonly ContextFile[] {
    return this.#of(under).list(under);
  }

  children(directory: string): readonly ContextFile[] {
    return this.#of(directory).children(directory);
  }

  get(path: string): ContextFile | undefined {
    return this.#of(path).get(path);
  }

  async digests(files: readonly ContextFile[]): Promise<ReadonlyMap<string, Digest>> {
    const local = await this.#local.digests(files.filter((file) => !isFetched(file)));
    const known = files.flatMap(({ entry }) =>
      isFetched({ entry }) && entry.digest ? [[entry.path, entry.digest] as const] : [],
    );
    const fetched = await this.#fetched.digests(
      files.filter((file) => isFetched(file) && !file.entry.digest),
    );
    return new Map([...local, ...known, ...fetched]);
  }

  recall(file: ContextFile): Digest | undefined {
    return file.entry.digest ?? this.#of(file.entry.path).recall(file);
  }

  remember(file: ContextFile, digest: Digest): void {
    this.#of(file.entry.path).remember(file, digest);
  }

  forget(): void {
    this.#local.forget();
  }

  isIgnored(path: string): boolean {
    return this.#of(path).isIgnored(path);
  }

  async save(): Promise<void> {
    await this.#local.save();
  }

  #of(path: string): Context {
    return path.startsWith(PLACE) ? this.#fetched : this.#local;
  }
}
