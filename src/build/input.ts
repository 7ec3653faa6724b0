import { existsSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Context } from '../../builder/context/context.ts';
import { isHttp } from '../../builder/context/http.ts';
import { findIgnoreFile, type IgnoreFile } from '../../builder/context/ignore.ts';
import { checkInside } from '../../builder/context/inside.ts';
import { openContext } from '../../builder/context/local.ts';
import type { Remotes } from '../../builder/context/remotes.ts';
import { readStdin } from '../../builder/context/stdin.ts';
import { resolveIn } from '../../builder/path-resolve.ts';
import { booleanOf } from '../core/boolean.ts';
import { BuildError, errnoOf } from '../core/errors.ts';
import type { BuildOptions } from '../core/options.ts';
import { shownPath } from '../core/paths.ts';
import type { Store } from '../core/store.ts';
import { readPlainText, readText, readTextStream } from '../core/text-file.ts';
import { redact } from '../http/redact.ts';
import { remoteContext, remoteText } from './remote-context.ts';

/** What a build is made of: the Containerfile's text, and the files it may read. */
export interface Input extends AsyncDisposable {
  readonly text: string;
  /** The Containerfile as messages call it. */
  readonly file: string;
  /** Where the Containerfile lies, absolute; absent where it is no file of this machine. */
  readonly path?: string;
  readonly context: Context;
  /** The ignore file of a context that has one. */
  readonly ignore?: IgnoreFile;
}

/** What reading an input takes. */
export interface Reading {
  readonly store: Store;
  readonly remotes: Remotes;
  /** Folders that are open already, by what they are read with: builds at the same time read them once. */
  readonly contexts?: Map<string, Context> | undefined;
}

interface Text {
  readonly text: string;
  readonly file: string;
}

/** Names looked for in the context, in this order. */
const NAMES = ['Containerfile', 'Dockerfile', 'containerfile', 'dockerfile'];

/** Reads the Containerfile and opens the context, wherever they are. Fails with `not-found`, `context` or `network`. */
export async function readInput(options: BuildOptions, reading: Reading): Promise<Input> {
  const { remotes } = reading;
  const isFolder = statSync(options.context, { throwIfNoEntry: false })?.isDirectory() === true;
  if (options.ignoreFile !== undefined && !isFolder) options.emit(withoutEffect);
  if (options.context === '-') return await fromStdin(options, reading);
  const keepGitDir = booleanOf(options.buildArgs.BUILDKIT_CONTEXT_KEEP_GIT_DIR ?? '') === true;
  const found = isFolder ? undefined : await remoteContext(options.context, { remotes, keepGitDir });
  if (found === undefined) return await fromFolder(options, reading);
  const { context, containerfile } = found;
  const elsewhere = await textElsewhere(options, remotes);
  const own =
    elsewhere ??
    (containerfile === undefined
      ? await textIn(context, options.file, 'the context')
      : { text: containerfile, file: redact(options.context) });
  return { ...own, context, [Symbol.asyncDispose]: async () => {} };
}

const withoutEffect = {
  type: 'note',
  level: 'warning',
  text: '--ignorefile has no effect: the context is no folder, and all that it holds is taken',
} as const;

async function fromStdin(options: BuildOptions, { store, remotes }: Reading): Promise<Input> {
  const scratch = await store.scratch();
  try {
    const { context, containerfile } = await readStdin(process.stdin, scratch.path);
    const file =
      options.file === undefined || isHttp(options.file)
        ? options.file
        : relative(process.cwd(), options.file);
    const own =
      (await textElsewhere({ ...options, file }, remotes)) ??
      (containerfile === undefined
        ? await textIn(context, file, 'the archive on stdin')
        : { text: containerfile, file: '-' });
    return { ...own, context, [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose]() };
  } catch (error) {
    await scratch[Symbol.asyncDispose]();
    throw error;
  }
}

/** A Containerfile that was handed over, on stdin, or at an address of its own. */
async function textElsewhere(
  { file, inline }: Pick<BuildOptions, 'inline'> & { readonly file?: string | undefined },
  remotes: Remotes,
): Promise<Text | undefined> {
  if (inline !== undefined) return inline;
  if (file === '-') return { text: await readTextStream(process.stdin, 'the Containerfile on stdin'), file };
  if (file === undefined || !isHttp(file)) return undefined;
  return { text: await remoteText(file, remotes), file: redact(file) };
}

/** The Containerfile inside a context that was fetched or sent; `-f` is a path in it, and links stay in it. */
async function textIn(context: Context, file: string | undefined, what: string): Promise<Text> {
  const names = file === undefined ? NAMES : [file];
  for (const name of names) {
    const { path } = await resolveIn(async (at) => context.get(at)?.entry, name, true);
    const found = context.get(path);
    if (found?.entry.type === 'file') return { text: readPlainText(found.absolute, name), file: name };
  }
  throw new BuildError('not-found', `${what} holds no ${names.join(', ')}`, {
    hint: `Name the Containerfile inside ${what} with -f.`,
  });
}

async function fromFolder(options: BuildOptions, { store, remotes, contexts }: Reading): Promise<Input> {
  checkFolder(options.context);
  const elsewhere = await textElsewhere(options, remotes);
  const path = elsewhere === undefined ? (options.file ?? findIn(options.context)) : undefined;
  const ignore = findIgnoreFile({
    folder: options.context,
    ...(path !== undefined && { containerfile: path }),
    ...(options.ignoreFile !== undefined && { override: options.ignoreFile }),
  });
  const key = JSON.stringify([options.context, ignore?.path]);
  const context =
    contexts?.get(key) ??
    openContext(options.context, {
      statCache: store.statCache(options.context),
      ...(ignore !== undefined && { ignoreText: ignore.text, ignoreFile: ignore.path }),
    });
  contexts?.set(key, context);
  const own = elsewhere ?? {
    text: readContainerfile(path!, options.context),
    file: shownPath(path!),
    path: path!,
  };
  const ignored = ignore === undefined ? {} : { ignore };
  return { ...own, ...ignored, context, [Symbol.asyncDispose]: async () => {} };
}

function checkFolder(folder: string): void {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return;
  const what = stat === undefined ? 'does not exist' : 'is not a directory';
  throw new BuildError('not-found', `the context ${folder} ${what}`, {
    hint: 'The last argument is the folder whose files the build may read, often ".", or an address over https or git.',
  });
}

function findIn(folder: string): string {
  const found = NAMES.map((name) => join(folder, name)).find((path) => existsSync(path));
  if (found !== undefined) {
    checkInside(folder, found);
    return found;
  }
  throw new BuildError('not-found', `there is no Containerfile or Dockerfile in ${folder}`, {
    hint: 'Write one there, or name another with -f.',
  });
}

function readContainerfile(path: string, context: string): string {
  try {
    const name = `the Containerfile ${shownPath(path)}`;
    return path.startsWith(`${context}/`) ? readPlainText(path, name) : readText(path, name);
  } catch (error) {
    if (error instanceof BuildError) throw error;
    const what = errnoOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${errnoOf(error)})`;
    throw new BuildError('not-found', `the Containerfile ${shownPath(path)} ${what}`, {
      cause: error,
      hint: 'The path given to -f starts from the current folder, not from the context.',
    });
  }
}
