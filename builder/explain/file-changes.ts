import type { Digest } from '../../src/core/digest.ts';
import type { Change } from '../../src/core/events.ts';
import type { Ingredients } from '../../src/core/ingredients.ts';
import { differingFiles, type ListedFile, type SelectedFiles } from '../steps/file-list.ts';

/** Gives the text of a list of files; undefined where it is not kept. */
export type ReadList = (files: Digest) => Buffer | undefined;

/** Digests of files in the ingredients of two steps. */
export interface ComparedFiles {
  readonly before: Ingredients;
  readonly after: Ingredients;
  readonly files: readonly [unknown, unknown];
  /** What `--from` named, where it was not the build context. */
  readonly from: string | undefined;
}

/** What differs between the files that two digests stand for. */
export function fileChanges({ before, after, files, from }: ComparedFiles, list: ReadList): Change[] {
  const [was, is] = files;
  if (was === is || was === undefined || is === undefined) return [];
  const [old, now] = [list(was as Digest), list(is as Digest)];
  if (old === undefined || now === undefined) return [{ what: 'files', name: from ?? '', how: 'changed' }];
  const shown = (path: string): string => (from === undefined ? path : `${from}:/${path}`);
  const changes = listChanges(
    { text: old, tops: before.tops[String(was)] ?? [] },
    { text: now, tops: after.tops[String(is)] ?? [] },
  );
  return changes.map((change) => ({ ...change, name: shown(change.name) }));
}

/** What differs between two lists of files; of a directory that came or went, what is in it is not told. */
export function listChanges(before: SelectedFiles, after: SelectedFiles): Change[] {
  const [old, now] = differingFiles(before, after).map(byPath) as [Files, Files];
  const changed = [...now.values()].flatMap((file) => {
    const was = old.get(file.path);
    return was === undefined ? [] : aspectsOf(was, file);
  });
  const removed = [...old.values()].filter(({ path }) => !now.has(path));
  const added = [...now.values()].filter(({ path }) => !old.has(path));
  return [...moves(removed, added), ...changed].sort((a, b) => (a.name < b.name ? -1 : 1));
}

type Files = ReadonlyMap<string, ListedFile>;

function byPath(files: readonly ListedFile[]): Files {
  return new Map(files.map((file) => [file.path, file]));
}

const KINDS: Readonly<Record<string, string>> = { dir: 'directory', symlink: 'link' };

function kindOf({ type }: ListedFile): string {
  return KINDS[type] ?? 'file';
}

function aspectsOf(was: ListedFile, is: ListedFile): Change[] {
  const change = (aspect: string, before?: string, after?: string): Change => ({
    ...{ what: kindOf(is), name: is.path, how: 'changed', aspect },
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
  });
  if (was.type !== is.type) return [change('type', kindOf(was), kindOf(is))];
  return [
    ...(was.content === is.content ? [] : [change('content')]),
    ...(was.mode === is.mode ? [] : [change('mode', octal(was.mode), octal(is.mode))]),
    ...(was.owner === is.owner ? [] : [change('owner', was.owner, is.owner)]),
    ...(was.link === is.link ? [] : [change('link', was.link, is.link)]),
    ...(was.attributes === is.attributes ? [] : [change('attributes')]),
  ];
}

function octal(mode: string): string {
  return mode.padStart(4, '0');
}

/** What came and what went, where both are the same under another name as one change. */
function moves(removed: readonly ListedFile[], added: readonly ListedFile[]): Change[] {
  const [gone, come] = [tops(removed), tops(added)];
  const left = [...gone];
  const renamed: Change[] = [];
  const fresh = come.filter((is) => {
    const at = left.findIndex((was) => was.print === is.print);
    if (at < 0) return true;
    const [was] = left.splice(at, 1) as [Top];
    const { path } = is.file;
    renamed.push({
      what: kindOf(is.file),
      name: path,
      how: 'changed',
      aspect: 'name',
      before: was.file.path,
      after: path,
    });
    return false;
  });
  const told =
    (how: 'added' | 'removed') =>
    ({ file }: Top): Change => ({ what: kindOf(file), name: file.path, how });
  return [...renamed, ...left.map(told('removed')), ...fresh.map(told('added'))];
}

interface Top {
  readonly file: ListedFile;
  /** Equal for what is the same but for its name. */
  readonly print: string;
}

/** Those that are in no directory among them, with all that is below each. */
function tops(files: readonly ListedFile[]): Top[] {
  const directories = new Set(files.filter(({ type }) => type === 'dir').map(({ path }) => path));
  const below = new Map<string, string[]>();
  const found = files.filter((file) => {
    const outer = topOf(file.path, directories);
    const top = outer ?? file.path;
    const prints = below.get(top) ?? [];
    prints.push(printOf(file, top));
    below.set(top, prints);
    return outer === undefined;
  });
  return found.map((file) => ({ file, print: below.get(file.path)!.sort().join('\n') }));
}

/** The outermost of the directories that a path is in. */
function topOf(path: string, directories: ReadonlySet<string>): string | undefined {
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    if (directories.has(path.slice(0, at))) return path.slice(0, at);
  }
  return undefined;
}

function printOf({ path, type, mode, owner, content, link }: ListedFile, top: string): string {
  return [path.slice(top.length), type, mode, owner, content, link ?? ''].join(' ');
}
