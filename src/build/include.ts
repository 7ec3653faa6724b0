import { realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { join } from 'node:path/posix';
import type { Context } from '../../builder/context/context.ts';
import type { Include, IncludedFile } from '../containerfile/types.ts';
import { BuildError, errnoOf } from '../core/errors.ts';
import type { BuildOptions } from '../core/options.ts';
import { shownPath } from '../core/paths.ts';
import { readPlainText } from '../core/text-file.ts';

/** The reader of what INCLUDE names: files of the context only, whatever links lead elsewhere. */
export function includeFrom(
  { context }: { readonly context: Context },
  options: Pick<BuildOptions, 'context' | 'onSource'>,
): Include {
  const isFolder = options.context.startsWith('/');
  return (path, from) => {
    const found = isFolder ? inFolder(options.context, path, from) : inContext(context, path, from);
    options.onSource?.(found.file, found.text);
    return found;
  };
}

/** An ignore pattern hides no file here: it says what steps may copy. */
function inFolder(root: string, path: string, from: string): IncludedFile {
  const folder = from === '-' ? root : dirname(resolve(from));
  const file = shownPath(resolve(folder, path));
  const realRoot = realpathSync(root);
  const wanted = resolve(realpathSync(folder), path);
  if (!isBelow(wanted, realRoot)) throw outside(file);
  const real = realPath(wanted, file);
  if (!isBelow(real, realRoot)) throw outside(file);
  return { file, text: readPlainText(real, `the included file ${file}`) };
}

function inContext(context: Context, path: string, from: string): IncludedFile {
  const file = path.startsWith('/') ? path : join(from === '-' ? '.' : dirname(from), path);
  if (file.startsWith('/') || file === '..' || file.startsWith('../')) throw outside(file);
  const found = context.get(file);
  if (found?.entry.type !== 'file') throw notThere(file, 'is not in the context');
  return { file, text: readPlainText(found.absolute, `the included file ${file}`) };
}

function isBelow(path: string, root: string): boolean {
  return path.startsWith(root === '/' ? '/' : `${root}/`);
}

function realPath(path: string, file: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const missing = errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR';
    throw notThere(file, missing ? 'does not exist' : `cannot be read (${errnoOf(error) ?? 'no path'})`);
  }
}

function outside(file: string): BuildError {
  return new BuildError('context', `the included file ${file} lies outside of the context`, {
    hint: 'INCLUDE takes files below the context folder only; a path starts from the file that includes it.',
  });
}

function notThere(file: string, what: string): BuildError {
  return new BuildError('not-found', `the included file ${file} ${what}`, {
    hint: 'The path starts from the folder of the file that includes it.',
  });
}
