import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError, errnoOf } from '../core/errors.ts';
import type { Environment } from '../http/proxy.ts';

/** What registries.conf says, version 2 (containers-registries.conf(5)): as far as it is about where images are. */
export interface RegistriesConf {
  readonly rules: readonly RegistryRule[];
  /** Full names by short ones: `fedora` → `registry.fedoraproject.org/fedora`. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** A `[[registry]]`. */
export interface RegistryRule {
  /** `host`, `host/path` or `*.host`. */
  readonly prefix: string;
  /** What stands in the prefix's place; empty where names stay as they are. */
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly MirrorRule[];
  /** The file that says so. */
  readonly source: string;
}

export interface MirrorRule {
  readonly location: string;
  /** Plain HTTP and any certificate will do. */
  readonly insecure: boolean;
  readonly pulls: (typeof pullKinds)[number];
}

export interface ConfPlace {
  readonly env: Environment;
  readonly home: string;
  /** Where the machine's own files are: `/etc/containers`. */
  readonly systemFolder: string;
}

const pullKinds = ['all', 'digest-only', 'tag-only'] as const;

/**
 * Reads the files in the order of containers: CONTAINERS_REGISTRIES_CONF, else the person's registries.conf, else the
 * machine's; then drop-ins, of which later ones replace rules with the same prefix and aliases. A person's own file sets
 * the machine's drop-ins aside. Fails with `registry`, and the place, where a file is not as it should be.
 */
export async function readRegistriesConf(place: ConfPlace): Promise<RegistriesConf> {
  const rules = new Map<string, RegistryRule>();
  const aliases = new Map<string, string>();
  for (const file of filesOf(place)) {
    const conf = await parseFile(file);
    for (const table of listOf(conf, 'registry', file)) {
      const rule = ruleOf(table, file);
      rules.set(rule.prefix, rule);
    }
    for (const [short, full] of Object.entries(tableOf(conf.aliases ?? {}, 'aliases', file)))
      aliases.set(short, textOf({ [short]: full }, short, file));
  }
  return { rules: [...rules.values()], aliases };
}

function filesOf({ env, home, systemFolder }: ConfPlace): string[] {
  const own = join(env.XDG_CONFIG_HOME || join(home, '.config'), 'containers');
  const named = env.CONTAINERS_REGISTRIES_CONF;
  const file = (folder: string): string => join(folder, 'registries.conf');
  if (!named && existsSync(file(own))) return [file(own), ...dropIns(own)];
  const first = named || (existsSync(file(systemFolder)) ? file(systemFolder) : undefined);
  return [...(first === undefined ? [] : [first]), ...dropIns(systemFolder), ...dropIns(own)];
}

function dropIns(folder: string): string[] {
  const inside = join(folder, 'registries.conf.d');
  if (!existsSync(inside)) return [];
  const names = readdirSync(inside).filter((name) => name.endsWith('.conf'));
  return names.sort().map((name) => join(inside, name));
}

type Table = Readonly<Record<string, unknown>>;

async function parseFile(file: string): Promise<Table> {
  const text = readText(file);
  const { parse, TomlError } = await import('smol-toml');
  try {
    const conf: Table = parse(text);
    if (conf.registries === undefined) return conf;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw fault(file, `line ${error.line}, column ${error.column} is no TOML`);
  }
  throw fault(file, 'it is of version 1, with [registries.…], which is not read: write [[registry]]');
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw fault(file, `it cannot be read (${errnoOf(error) ?? 'unknown'})`);
  }
}

function ruleOf(table: Table, file: string): RegistryRule {
  const location = placeOf(table, 'location', file);
  const prefix = placeOf(table, 'prefix', file) || location;
  if (location === '' && !prefix.startsWith('*.')) throw fault(file, 'a [[registry]] has no location');
  const byDigest = flagOf(table, 'mirror-by-digest-only', file);
  return {
    prefix,
    location,
    insecure: flagOf(table, 'insecure', file),
    blocked: flagOf(table, 'blocked', file),
    mirrors: listOf(table, 'mirror', file).map((mirror) => mirrorOf(mirror, { file, byDigest })),
    source: file,
  };
}

function mirrorOf(
  table: Table,
  { file, byDigest }: { readonly file: string; readonly byDigest: boolean },
): MirrorRule {
  const location = placeOf(table, 'location', file);
  if (location === '') throw fault(file, 'a [[registry.mirror]] has no location');
  const written = textOf(table, 'pull-from-mirror', file) || 'all';
  const pulls = pullKinds.find((kind) => kind === written);
  if (pulls === undefined)
    throw fault(file, `pull-from-mirror is "${written}", and not one of ${pullKinds.join(', ')}`);
  return {
    location,
    insecure: flagOf(table, 'insecure', file),
    pulls: byDigest ? 'digest-only' : pulls,
  };
}

/** A host and path, without a slash at the end. */
function placeOf(table: Table, key: string, file: string): string {
  const text = textOf(table, key, file).replace(/\/+$/, '');
  if (text.includes('://')) throw fault(file, `${key} = "${text}" has a scheme, where none belongs`);
  return text;
}

function textOf(table: Table, key: string, file: string): string {
  const value = table[key] ?? '';
  if (typeof value === 'string') return value;
  throw fault(file, `${key} is not a text`);
}

function flagOf(table: Table, key: string, file: string): boolean {
  const value = table[key] ?? false;
  if (typeof value === 'boolean') return value;
  throw fault(file, `${key} is not true or false`);
}

function listOf(table: Table, key: string, file: string): Table[] {
  const value = table[key] ?? [];
  if (Array.isArray(value)) return value.map((one) => tableOf(one, key, file));
  throw fault(file, `${key} is not a list: write [[${key}]]`);
}

function tableOf(value: unknown, key: string, file: string): Table {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Table;
  throw fault(file, `${key} is not a table`);
}

function fault(file: string, what: string): BuildError {
  return new BuildError('registry', `${file}: ${what}`, {
    hint: 'containers-registries.conf(5) tells the form; CONTAINERS_REGISTRIES_CONF names another file.',
  });
}
