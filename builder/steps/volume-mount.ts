import { mkdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError, errnoOf } from '../../src/core/errors.ts';
import type { Volume } from '../../src/core/options.ts';
import type { Mount } from '../sandbox/plan.ts';
import { makeFolder } from './folder.ts';
import type { RootForm } from './root-form.ts';

/**
 * What the command line lets a process see of this machine, as a mount. What an overlay takes goes into `folder`, which is
 * the mount's own. Fails with `not-found`, and with `sandbox` for an overlay where none can be had.
 */
export function volumeMount(volume: Volume, folder: string, form: RootForm): Mount {
  const source = realSource(volume);
  const { target, mode } = volume;
  if (mode !== 'overlay') return { kind: 'bind', source, target, readonly: mode === 'ro' };
  const shown = statSync(source);
  if (!shown.isDirectory()) throw noOverlay(volume, 'is no folder');
  if (form === 'copy') throw noOverlay(volume, 'would take an overlay, and none can be mounted here');
  const [upper, work] = [join(folder, 'upper'), join(folder, 'work')];
  makeFolder(upper, { mode: shown.mode & 0o7777, uid: shown.uid, gid: shown.gid });
  mkdirSync(work, { mode: 0o700 });
  return { kind: 'tree', tree: { lower: [source], upper, work }, path: '', target, readonly: false };
}

/** The mounts of several volumes, outer ones first; `scratch` is a private folder of the process. */
export function volumeMounts(volumes: readonly Volume[], scratch: string, form: RootForm): Mount[] {
  const mounts = volumes.map((volume, at) => {
    const folder = join(scratch, `volume-${at}`);
    mkdirSync(folder, { mode: 0o700 });
    return volumeMount(volume, folder, form);
  });
  return mounts.sort((a, b) => (a.target < b.target ? -1 : 1));
}

function realSource({ source }: Volume): string {
  try {
    return realpathSync(source);
  } catch (error) {
    throw new BuildError('not-found', `--volume: ${source} cannot be found (${errnoOf(error)})`, {
      cause: error,
      hint: 'Make the folder first, or correct its name.',
    });
  }
}

function noOverlay({ source }: Volume, why: string): BuildError {
  return new BuildError('sandbox', `--volume ${source} cannot be written for the moment alone: it ${why}`, {
    hint: 'Write :ro behind it instead of :O.',
  });
}
