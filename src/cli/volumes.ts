import { resolve } from 'node:path';
import { resolve as resolveInImage } from 'node:path/posix';
import { usageError } from '../core/errors.ts';
import type { Volume } from '../core/options.ts';
import { own } from '../core/own.ts';

const form = 'Write -v ./FOLDER:/PATH, -v /FOLDER:/PATH:ro or, to drop what is written, :O.';

/**
 * `HOST:PATH[:OPTIONS]`; a host path has a slash or a dot, so that no volume's name is taken for one. The options are those of
 * podman and Buildah that can be had without changing what belongs to this machine. Fails with `usage`.
 */
export function parseVolume(text: string, cwd: string): Volume {
  const [source = '', target = '', options = '', extra] = text.split(':');
  if (source === '' || !target.startsWith('/') || extra !== undefined)
    throw usageError(`--volume '${text}' is not HOST:PATH`, form);
  if (!source.includes('/') && !source.startsWith('.'))
    throw usageError(`--volume '${text}': tsbuild keeps no named volumes`, form);
  const mode = modeOf(options.split(',').filter((option) => option !== ''));
  const path = resolveInImage(target);
  if (path === '/') throw usageError('a volume cannot hide the whole root', form);
  return { source: resolve(cwd, source), target: path, mode };
}

const modes: Readonly<Record<string, Volume['mode']>> = { ro: 'ro', rw: 'rw', O: 'overlay' };

/** What is so anyway: mounts are private, no label is set, and programs in them run. */
const usual = ['z', 'Z', 'private', 'rprivate', 'rbind', 'bind', 'nosuid', 'nodev', 'exec', 'copy', 'nocopy'];

const refusals: Readonly<Record<string, string>> = {
  U: 'it would change the owners of files of this machine',
  ...Object.fromEntries(
    ['shared', 'rshared', 'slave', 'rslave'].map((name) => [name, 'every step has mounts of its own']),
  ),
};

function modeOf(options: readonly string[]): Volume['mode'] {
  const found = options.flatMap((option) => own(modes, option) ?? []);
  const other = options.find((option) => own(modes, option) === undefined && !usual.includes(option));
  const refusal = other === undefined ? undefined : own(refusals, other);
  if (refusal !== undefined) throw usageError(`--volume has no option '${other}': ${refusal}`, form);
  if (other !== undefined) throw usageError(`--volume does not know '${other}'`, form);
  if (new Set(found).size > 1)
    throw usageError(`--volume cannot be ${found.join(' and ')} at once`, 'Keep one of them.');
  return found[0] ?? 'rw';
}
