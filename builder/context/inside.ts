import { realpathSync } from 'node:fs';
import { BuildError } from '../../src/core/errors.ts';

/**
 * Fails with `context` where links lead a file that tsbuild found in the context out of it: a context may come from
 * anyone, and what a message shows of such a file is not theirs to see.
 */
export function checkInside(folder: string, path: string): void {
  const root = realpathSync(folder);
  if (realpathSync(path).startsWith(root === '/' ? root : `${root}/`)) return;
  throw new BuildError('context', `the file ${path} is a link that leads out of the context`, {
    hint: 'Put the file itself into the context, or name it in the command (-f, --ignorefile).',
  });
}
