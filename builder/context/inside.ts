import { realpathSync, statSync } from 'node:fs';
import { BuildError } from '../../src/core/errors.ts';

/**
 * Fails with `context` where links lead a file that tsbuild found in the context out of it: a context may come from
 * anyone, and what a message shows of such a file is not theirs to see. It must be a text besides.
 */
export function checkInside(folder: string, path: string): void {
  const root = realpathSync(folder);
  if (realpathSync(path).startsWith(root === '/' ? root : `${root}/`)) {
    checkText(path);
    return;
  }
  throw new BuildError('context', `the file ${path} is a link that leads out of the context`, {
    hint: 'Put the file itself into the context, or name it in the command (-f, --ignorefile).',
  });
}

/** No Containerfile and no ignore file is larger, and what is kept of a larger one would fill the memory. */
const mostBytes = 16 << 20;

/**
 * Fails with `context` where a file of a context that is read as text is none, or larger than any text: a pipe or a
 * device would keep us waiting for ever. `shown` is what messages call it.
 */
export function checkText(path: string, shown = path): void {
  const stat = statSync(path);
  if (stat.isFile() && stat.size <= mostBytes) return;
  const what = stat.isFile() ? 'is larger than 16 MiB' : 'is no file';
  throw new BuildError('context', `the file ${shown} ${what}`, {
    hint: 'Containerfiles, ignore files and what they include are plain text files.',
  });
}
