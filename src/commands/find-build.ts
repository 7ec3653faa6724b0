import { BuildError } from '../core/errors.ts';
import type { Builds, KeptBuild } from '../core/remembered.ts';

/** A remembered build, as a person names it; the last one where nothing is said. Fails with `not-found`. */
export function findBuild(builds: Builds, word: string | undefined): KeptBuild {
  const found = builds.find(word);
  if (found !== undefined) return found;
  const what = word === undefined ? 'no build is remembered' : `no single build is known as ${word}`;
  throw new BuildError('not-found', what, {
    hint:
      word === undefined
        ? 'Build something first: the store is chosen with --root or TSBUILD_ROOT.'
        : '`tsbuild builds` lists them; the start or the end of an id is enough where no other has it.',
  });
}
