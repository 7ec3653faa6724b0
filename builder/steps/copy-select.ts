import { BuildError, didYouMean } from '../../src/core/errors.ts';
import { baseOf, cleanPath, join, parentOf, resolveIn } from '../path-resolve.ts';
import { componentMatcher, hasWildcard } from './copy-match.ts';
import type { SourceFile, SourceTree } from './copy-source.ts';

/** A file below an item, by its path relative to the item. */
export interface Picked {
  readonly path: string;
  readonly file: SourceFile;
}

/** What one source, or one match of a pattern, brings: a file under its name, or the contents of a directory. */
export interface Item {
  /** Last component as written or matched; a followed link keeps its own name. */
  readonly name: string;
  /** The file or directory itself, links followed. */
  readonly top: SourceFile;
  /** Of a directory: everything below it, parents first. */
  readonly below: readonly Picked[];
}

/**
 * Finds what the sources of a COPY name (containerfile §2): patterns are matched component by component and may match
 * nothing; a literal source must exist (`not-found`); a named link is followed inside the source's root.
 */
export async function pick(sources: readonly string[], tree: SourceTree): Promise<Item[]> {
  const items: Item[] = [];
  for (const source of sources) {
    const path = cleanPath(source);
    const matches = hasWildcard(path) ? await matchesOf(path, tree) : [path];
    for (const match of matches) items.push(await itemOf(match, source, tree));
  }
  return items;
}

async function itemOf(path: string, source: string, tree: SourceTree): Promise<Item> {
  const lookup = async (at: string) => (await tree.get(at))?.entry;
  const resolved = await resolveIn(lookup, path, true);
  const top = await tree.get(resolved.path);
  if (top === undefined) throw await missing(path, source, tree);
  const below = top.entry.type === 'dir' ? await tree.below(resolved.path) : [];
  const skip = resolved.path === '' ? 0 : resolved.path.length + 1;
  return {
    name: baseOf(path),
    top,
    below: below.map((file) => ({ path: file.entry.path.slice(skip), file })),
  };
}

/** Paths that a pattern matches: links are followed before its first wildcard, not after. */
async function matchesOf(pattern: string, tree: SourceTree): Promise<string[]> {
  const components = pattern.split('/');
  const first = components.findIndex(hasWildcard);
  const prefix = components.slice(0, first).join('/');
  const start = await resolveIn(async (at) => (await tree.get(at))?.entry, prefix, true);
  let paths = [start.path];
  for (const component of components.slice(first)) {
    const matches = componentMatcher(component);
    const next: string[] = [];
    for (const path of paths) {
      for (const { entry } of await tree.children(path)) {
        if (matches(baseOf(entry.path))) next.push(entry.path);
      }
    }
    paths = next;
  }
  return paths;
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
    hint: near !== undefined ? `Did you mean ${join(parent, near)}?` : await whereToLook(path, source, tree),
  });
}

/** Says how far the path does exist. */
async function whereToLook(path: string, source: string, tree: SourceTree): Promise<string> {
  if (/^https?:|^git@/.test(source)) return 'COPY takes files only.';
  for (let at = parentOf(path); at !== ''; at = parentOf(at)) {
    if ((await tree.get(at)) !== undefined)
      return `"/${at}" exists there, but nothing of that name is in it.`;
  }
  return `Sources are looked up from the root of ${tree.name}, wherever the Containerfile is.`;
}
