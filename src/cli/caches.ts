import { resolve } from 'node:path';
import { booleanOf } from '../core/boolean.ts';
import { isDigest } from '../core/digest.ts';
import { suggestion, usageError } from '../core/errors.ts';
import type { BuildOptions, CacheSite, CacheTarget } from '../core/options.ts';
import type { BuildFlags } from './build-flags.ts';
import { parseBoolean } from './flags.ts';
import { parseChoice, parseDuration, parseFields } from './values.ts';

type Flag = '--cache-from' | '--cache-to';
type Fields = ReadonlyMap<string, string>;

const s3 = ['bucket', 'region', 'name', 'prefix', 'endpoint_url', 'use_path_style'];

/** What a flag's `type=` may be, and the keys that go with it. */
const keysOf: Record<Flag, Readonly<Record<string, readonly string[]>>> = {
  '--cache-from': { registry: ['ref'], local: ['src', 'tag', 'digest'], s3, gha: ['scope'] },
  '--cache-to': { registry: ['ref'], local: ['dest', 'tag'], inline: [], s3, gha: ['scope'] },
};
const keysOfEveryTarget = [
  'mode',
  'compression',
  'ignore-error',
  'image-manifest',
  'oci-mediatypes',
  'mounts',
];

interface Near {
  readonly cwd: string;
  readonly buildArgs: Readonly<Record<string, string>>;
}

/** `--cache-from`, `--cache-to` and what goes with them. Fails with `usage`; every message names the flag. */
export function cacheOptions(
  flags: Pick<BuildFlags, 'cacheFrom' | 'cacheTo' | 'cacheMaxAge' | 'offline'>,
  { cwd, buildArgs }: Near,
): Pick<BuildOptions, 'cacheFrom' | 'cacheTo' | 'cacheMaxAgeMs'> {
  const { cacheFrom = [], cacheTo = [], cacheMaxAge } = flags;
  const targets = cacheTo.flatMap((text) => parseTarget(text, cwd));
  if (flags.offline && targets.some(({ site: { type } }) => type !== 'local' && type !== 'inline'))
    throw usageError(
      '--offline asks no server, and --cache-to does',
      'Keep one of both, or share by type=local.',
    );
  const isInline = booleanOf(buildArgs.BUILDKIT_INLINE_CACHE ?? '') === true;
  return {
    cacheFrom: cacheFrom.flatMap((text) => parseSource(text, cwd)),
    cacheTo: isInline ? [...targets, { site: { type: 'inline' } }] : targets,
    ...(cacheMaxAge !== undefined && { cacheMaxAgeMs: parseDuration('--cache-max-age', cacheMaxAge) }),
  };
}

function parseSource(text: string, cwd: string): readonly CacheSite[] {
  const { names, type, given } = parse('--cache-from', text);
  if (names.length > 0) return names.map((name) => ({ type: 'registry', name }));
  return [siteOf('--cache-from', { text, type, given, cwd })];
}

function parseTarget(text: string, cwd: string): readonly CacheTarget[] {
  const { names, type, given } = parse('--cache-to', text);
  const how = { mode: 'min', ignoreError: false, mounts: [] } as const;
  if (names.length > 0) return names.map((name) => ({ site: { type: 'registry', name }, ...how }));
  if (type === 'inline') return [inline(text, given)];
  const site = siteOf('--cache-to', { text, type, given, cwd });
  const compression = given.get('compression');
  return [
    {
      site,
      mode: parseChoice('--cache-to mode', given.get('mode') ?? how.mode, ['min', 'max'] as const),
      ignoreError: parseBoolean('--cache-to ignore-error', given.get('ignore-error') ?? 'false'),
      mounts: mountsOf(given.get('mounts')),
      ...(compression !== undefined && {
        compression: parseChoice('--cache-to compression', compression, [
          'gzip',
          'zstd',
          'uncompressed',
        ] as const),
      }),
    },
  ];
}

/** Ids between semicolons, or `all`. */
function mountsOf(text: string | undefined): 'all' | readonly string[] {
  if (text === 'all') return text;
  return (text ?? '').split(';').filter((id) => id !== '');
}

/** There is no room for more than steps in an image's configuration. */
function inline(text: string, given: Fields): CacheTarget {
  if ((given.get('mode') ?? 'min') !== 'min')
    throw usageError(
      `--cache-to '${text}': an image keeps its own layers and no others`,
      'Leave mode away, or share the cache apart: --cache-to type=registry,ref=NAME,mode=max.',
    );
  return { site: { type: 'inline' } };
}

interface Parsed {
  /** Names of images, where nothing else was written. */
  readonly names: readonly string[];
  readonly type: string;
  readonly given: Fields;
}

function parse(flag: Flag, text: string): Parsed {
  const fields = parseFields(flag, text);
  const names = fields.filter(({ value }) => value === undefined).map(({ key }) => key);
  if (names.length === fields.length && text.trim() !== '')
    return { names: text.split(',').map((name) => name.trim()), type: 'registry', given: new Map() };
  if (names.length > 0) throw usageError(`${flag} '${text}': '${names[0]}' has no value`, form(flag));
  const given = new Map(fields.map(({ key, value }) => [key, value!]));
  const type = given.get('type');
  if (type === undefined) throw usageError(`${flag} '${text}' has no type`, form(flag));
  checkKeys(flag, type, given);
  return { names: [], type, given };
}

function form(flag: Flag): string {
  return `Write ${flag} NAME, or ${flag} type=registry,ref=NAME; the types are ${Object.keys(keysOf[flag]).join(', ')}.`;
}

function checkKeys(flag: Flag, type: string, given: Fields): void {
  const own = keysOf[flag][type];
  if (own === undefined)
    throw usageError(
      `${flag} does not know the type '${type}'`,
      suggestion(type, Object.keys(keysOf[flag])) ?? form(flag),
    );
  const known = [...own, ...(flag === '--cache-to' ? keysOfEveryTarget : [])];
  for (const key of given.keys()) {
    if (key === 'type' || known.includes(key)) continue;
    const hint = suggestion(key, known) ?? `It knows ${known.join(', ')}.`;
    throw usageError(`${flag} type=${type} does not know '${key}'`, hint);
  }
  for (const key of ['image-manifest', 'oci-mediatypes']) {
    if (parseBoolean(`${flag} ${key}`, given.get(key) ?? 'true')) continue;
    throw usageError(`${flag} ${key}=false: a cache is always an OCI image manifest`, `Leave ${key} away.`);
  }
}

function siteOf(
  flag: Flag,
  {
    text,
    type,
    given,
    cwd,
  }: { readonly text: string; readonly type: string; readonly given: Fields; readonly cwd: string },
): CacheSite {
  const needed = (key: string): string => {
    const value = given.get(key);
    if (value) return value;
    throw usageError(`${flag} '${text}' has no ${key}`, `Add ${key}=…`);
  };
  if (type === 'registry') return { type, name: needed('ref') };
  if (type === 'gha') return { type, scope: given.get('scope') || 'main' };
  if (type === 's3') return bucketSite(flag, given);
  const digest = given.get('digest');
  if (digest !== undefined && !isDigest(digest))
    throw usageError(`${flag} '${text}': that is no digest`, 'It is sha256: and 64 digits.');
  return {
    type: 'local',
    folder: resolve(cwd, needed(flag === '--cache-to' ? 'dest' : 'src')),
    tag: given.get('tag') ?? 'latest',
    ...(digest !== undefined && { digest }),
  };
}

/** Keys are not for the command line, where others see them: they come from the environment. */
function bucketSite(flag: Flag, given: Fields): CacheSite {
  const [bucket, region, endpoint] = ['bucket', 'region', 'endpoint_url'].map((key) => given.get(key));
  return {
    type: 's3',
    name: given.get('name') || 'tsbuild',
    prefix: given.get('prefix') ?? '',
    pathStyle: parseBoolean(
      `${flag} use_path_style`,
      given.get('use_path_style') ?? String(endpoint !== undefined),
    ),
    ...(bucket && { bucket }),
    ...(region && { region }),
    ...(endpoint && { endpoint }),
  };
}
