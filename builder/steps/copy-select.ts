import { BuildError, didYouMean } from '../../src/core/errors.ts';
import { compilePatterns, type IgnorePatterns } from '../context/ignore-patterns.ts';
import { baseOf, cleanPath, join, parentOf, resolveIn } from '../path-resolve.ts';
import { type Filter, type Picked, takeBelow } from './copy-below.ts';
import type { CopyInput, CopyTools } from './copy-input.ts';
import { hasWildcard, matchesOf, unescaped } from './copy-match.ts';
import { BUILD_CONTEXT, type SourceFile, type SourceTree } from './copy-source.ts';

/** What one source, or one match of a pattern, brings: a file under its name, or the contents of a directory. */
export interface Item {
  /** Last component as written or matched; a followed link keeps its own name. */
  readonly name: string;
  /** The file or directory itself, links followed. */
  readonly top: SourceFile;
  /** Of a directory: what is taken of its contents, parents first. */
  readonly below: readonly Picked[];
}

type Words = Pick<CopyInput, 'sources' | 'parents' | 'excludes' | 'optional'>;

/**
 * Finds what the sources of a COPY name (containerfile §2): patterns are matched component by component and may match
 * nothing; a literal source must exist (`not-found`) unless it is optional; a named link is followed inside the
 * source's root, but not with `--parents`.
 */
export async function pick(
  words: Words,
  tree: SourceTree,
  { emit }: Pick<CopyTools, 'emit'>,
): Promise<Item[]> {
  const { sources, parents = false, excludes = [], optional = false } = words;
  const exclude = excludes.length === 0 ? undefined : compilePatterns(excludes, '--exclude');
  const warn = (text: string, hint: string) => emit({ type: 'note', level: 'warning', text, hint });
  const picking = { tree, exclude, warn };
  const items: Item[] = [];
  for (const source of sources) {
    const found = parents ? itemsWithParents(source, picking) : plainItems(source, picking);
    items.push(...(await (optional ? found.catch(noneIfMissing) : found)));
  }
  return items;
}

interface Picking {
  readonly tree: SourceTree;
  readonly exclude: IgnorePatterns | undefined;
  readonly warn: (text: string, hint: string) => void;
}

async function plainItems(source: string, { tree, exclude, warn }: Picking): Promise<Item[]> {
  const items = await itemsAt(source, exclude === undefined ? {} : { exclude }, tree);
  for (const { name, top } of items) {
    if (top.entry.type === 'dir' || exclude?.matches(name) !== true) continue;
    warn(
      `"${name}" is copied although --exclude names it: the patterns apply below directories, not to a source itself`,
      'Copy its directory instead, or leave the file out of the sources.',
    );
  }
  return items;
}

/** The part before the pivot is the source, whose contents are matched against what follows; without one it is the root. */
async function itemsWithParents(source: string, { tree, exclude, warn }: Picking): Promise<Item[]> {
  const pivot = source.indexOf('/./');
  const root = pivot < 0 ? '' : source.slice(0, pivot);
  const pattern = cleanPath(source.slice(Math.max(pivot, 0)));
  const isLiteral = !hasWildcard(root) && !hasWildcard(pattern);
  if (isLiteral) await fileAt(join(cleanPath(root), unescaped(pattern)), { source, tree, followLast: false });
  const include = pattern === '' ? undefined : compilePatterns([pattern], 'a source of --parents');
  const filter = { ...(include && { include }), ...(exclude && { exclude }) };
  const items = await itemsAt(root, filter, tree);
  if (isLiteral && exclude === undefined && items.every(({ top, below }) => isEmpty(top, below, pattern))) {
    warn(
      `nothing of "${source}" is copied: a link stands in its path, and --parents follows none`,
      'Name the path that the link leads to.',
    );
  }
  return items;
}

function isEmpty({ entry }: SourceFile, below: readonly Picked[], pattern: string): boolean {
  return entry.type === 'dir' && below.length === 0 && pattern !== '';
}

/** What a path or pattern names. */
async function itemsAt(source: string, filter: Filter, tree: SourceTree): Promise<Item[]> {
  const path = cleanPath(source);
  const matches = hasWildcard(path) ? await matchesOf(path, tree) : [path];
  const items: Item[] = [];
  for (const match of matches) {
    const top = await fileAt(match, { source, tree, followLast: true });
    const below = top.entry.type === 'dir' ? await takeBelow(top.entry.path, filter, tree) : [];
    items.push({ name: baseOf(match), top, below });
  }
  return items;
}

interface Lookup {
  /** The source as it is written. */
  readonly source: string;
  readonly tree: SourceTree;
  readonly followLast: boolean;
}

/** The file at a path, links on the way followed; fails with `not-found`. */
async function fileAt(path: string, { source, tree, followLast }: Lookup): Promise<SourceFile> {
  const resolved = await resolveIn(async (at) => (await tree.get(at))?.entry, path, followLast);
  const file = await tree.get(resolved.path);
  if (file === undefined) throw await missing(path, source, tree);
  return file;
}

function noneIfMissing(error: unknown): Item[] {
  if (error instanceof BuildError && error.code === 'not-found') return [];
  throw error;
}

async function missing(path: string, source: string, tree: SourceTree): Promise<BuildError> {
  if (tree.isIgnored(path)) {
    return new BuildError(
      'not-found',
      `"/${path}": not found in ${tree.name}, because an ignore file hides it`,
      {
        hint: `Add a line "!${path}" at the end of the ignore file, or copy something else.`,
      },
    );
  }
  const link = (await tree.get(path))?.entry.link;
  if (link !== undefined) {
    return new BuildError('not-found', `"/${path}" is a link to "${link}", which is not in ${tree.name}`, {
      about: source,
      hint: `Links are followed within ${tree.name}, never out of it: copy the file itself.`,
    });
  }
  const parent = parentOf(path);
  const siblings = (await tree.children(parent)).map(({ entry }) => baseOf(entry.path));
  const near = didYouMean(baseOf(path), siblings);
  return new BuildError('not-found', `"/${path}": not found in ${tree.name}`, {
    about: source,
    hint: near !== undefined ? `Did you mean ${join(parent, near)}?` : await whereToLook(path, tree),
  });
}

/** Says how far the path does exist. */
async function whereToLook(path: string, tree: SourceTree): Promise<string> {
  for (let at = parentOf(path); at !== ''; at = parentOf(at)) {
    if ((await tree.get(at)) !== undefined)
      return `"/${at}" exists there, but nothing of that name is in it.`;
  }
  if (tree.name !== BUILD_CONTEXT) return `Paths start at the root of ${tree.name}, whatever WORKDIR says.`;
  if ((await tree.children('')).length === 0)
    return 'The build context has no files: a Containerfile on stdin brings none, unless a folder is named too (-f - FOLDER).';
  return `Sources are looked up from the root of ${tree.name}, wherever the Containerfile is.`;
}
