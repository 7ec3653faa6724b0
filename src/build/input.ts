import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Context } from '../../builder/context/context.ts';
import { findIgnoreFile, type IgnoreFile } from '../../builder/context/ignore.ts';
import { checkInside } from '../../builder/context/inside.ts';
import { openContext } from '../../builder/context/local.ts';
import { readStdin } from '../../builder/context/stdin.ts';
import { BuildError, errnoOf } from '../core/errors.ts';
import type { BuildOptions } from '../core/options.ts';
import type { Store } from '../core/store.ts';

/** What a build is made of: the Containerfile's text, and the files it may read. */
export interface Input extends AsyncDisposable {
  readonly text: string;
  /** The Containerfile as messages call it. */
  readonly file: string;
  readonly context: Context;
  /** The ignore file of a context that has one. */
  readonly ignore?: IgnoreFile;
}

/** Names looked for in the context, in this order. */
const NAMES = ['Containerfile', 'Dockerfile', 'containerfile', 'dockerfile'];

/** Reads the Containerfile and opens the context. Fails with `not-found` or `context`. */
export async function readInput(options: BuildOptions, store: Store): Promise<Input> {
  return options.context === '-' ? await fromStdin(options, store) : await fromFolder(options, store);
}

async function fromStdin(options: BuildOptions, store: Store): Promise<Input> {
  if (options.file === '-') {
    throw new BuildError('usage', 'stdin cannot be both the context and the Containerfile', {
      hint: 'Name a folder as the context, or leave -f - away.',
    });
  }
  const scratch = await store.scratch();
  try {
    const { context, containerfile } = await readStdin(process.stdin, scratch.path);
    const own =
      containerfile === undefined ? ofArchive(context, options.file) : { text: containerfile, file: '-' };
    return { ...own, context, [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose]() };
  } catch (error) {
    await scratch[Symbol.asyncDispose]();
    throw error;
  }
}

/** The Containerfile inside an archive; `-f` is a path in it. */
function ofArchive(context: Context, file: string | undefined): { text: string; file: string } {
  const names = file === undefined ? NAMES : [relative(process.cwd(), file)];
  for (const name of names) {
    const found = context.get(name);
    if (found?.entry.type === 'file') return { text: readFileSync(found.absolute, 'utf8'), file: name };
  }
  throw new BuildError('not-found', `the archive on stdin holds no ${names.join(', ')}`, {
    hint: 'Name the Containerfile inside the archive with -f.',
  });
}

async function fromFolder(options: BuildOptions, store: Store): Promise<Input> {
  checkFolder(options.context);
  const path = options.file === '-' ? undefined : (options.file ?? findIn(options.context));
  const ignore = findIgnoreFile({
    folder: options.context,
    ...(path !== undefined && { containerfile: path }),
    ...(options.ignoreFile !== undefined && { override: options.ignoreFile }),
  });
  const context = openContext(options.context, {
    statCache: store.statCache(options.context),
    ...(ignore !== undefined && { ignoreText: ignore.text, ignoreFile: ignore.path }),
  });
  const text = path === undefined ? await readAll(process.stdin) : readContainerfile(path);
  return {
    text,
    file: path === undefined ? '-' : shown(path),
    context,
    ...(ignore !== undefined && { ignore }),
    [Symbol.asyncDispose]: async () => {},
  };
}

function checkFolder(folder: string): void {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return;
  const what = stat === undefined ? 'does not exist' : 'is not a directory';
  throw new BuildError('not-found', `the context ${folder} ${what}`, {
    hint: 'The last argument is the folder whose files the build may read, often ".".',
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

function readContainerfile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const what = errnoOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${errnoOf(error)})`;
    throw new BuildError('not-found', `the Containerfile ${shown(path)} ${what}`, {
      cause: error,
      hint: 'The path given to -f starts from the current folder, not from the context.',
    });
  }
}

/** A path as a person would write it here. */
function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
