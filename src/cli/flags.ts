import { type Command, Option } from 'commander';
import { booleanOf } from '../core/boolean.ts';
import { usageError } from '../core/errors.ts';
import type { Mirror, RegistryOptions } from '../core/options.ts';
import { parseChoice, parseCount, parseDuration } from './values.ts';

/** A flag without a value. */
export function flag(words: string, description: string): Option {
  return new Option(words, description);
}

/** A flag whose value is one of a few words; whoever takes the value checks it, and completion offers them. */
export function choice(words: string, description: string, choices: readonly string[]): Option {
  return withChoices(flag(words, description), choices);
}

/** The same flag, and what completion offers for its value. */
export function withChoices(option: Option, choices: readonly string[]): Option {
  return Object.assign(option, { argChoices: choices });
}

/** A flag that may be repeated; the values as a list. */
export function list(words: string, description: string): Option {
  const collect = (value: string, all: unknown): string[] => [...(Array.isArray(all) ? all : []), value];
  const option = new Option(words, description).argParser(collect);
  repeatable.add(option);
  return option;
}

const repeatable = new WeakSet<Option>();

/** Whether a flag may be written more than once. */
export function isRepeatable(option: Option): boolean {
  return repeatable.has(option);
}

export function addAll(command: Command, heading: string, options: readonly Option[]): Command {
  for (const option of options) command.addOption(option.helpGroup(heading));
  return command;
}

/** What every command has. */
export interface CommonFlags {
  readonly root?: string;
  readonly debug?: boolean;
}

export function addCommon(command: Command): Command {
  return addAll(command, 'General:', [
    flag('--root <folder>', 'where the state lives (default: $TSBUILD_ROOT, or tsbuild in the data folder)'),
    flag('-D, --debug', 'tell causes, and the stack of an unexpected failure'),
  ]);
}

/** The launcher has read it before Node started: here its value is only checked. Buildah's names mean `auto`. */
export function isolationFlag(): Option {
  const rungs = ['auto', 'root', 'subuid', 'single', 'chroot', 'none'] as const;
  const text = 'auto (default), root, subuid, single, chroot or none: see tsbuild doctor';
  const option = new Option('--isolation <rung>', text).argParser((word) =>
    parseChoice('--isolation', word, [...rungs, 'oci', 'rootless']),
  );
  return withChoices(option, rungs);
}

/** The engine that runs processes. */
export function runtimeFlag(): Option {
  return choice('--runtime <name>', 'the engine: builtin (default), crun, runc or a path', [
    'builtin',
    'crun',
    'runc',
  ]);
}

/** How registries are reached, as flags. */
export interface RegistryFlags {
  readonly tlsVerify?: string;
  readonly authfile?: string;
  readonly creds?: string;
  readonly certDir?: string;
  readonly registryCertificate?: readonly string[];
  readonly registryMirror?: readonly string[];
  readonly registryMap?: readonly string[];
  readonly retry?: string;
  readonly retryDelay?: string;
  /** A flag of build alone: the other commands here are about registries. */
  readonly offline?: boolean;
}

export function addRegistry(command: Command): Command {
  return addAll(command, 'Registry:', [
    flag('--tls-verify [bool]', 'false accepts any certificate, and plain HTTP').preset('true'),
    flag('--authfile <file>', 'read the credentials from this file'),
    flag('--creds <user:password>', 'log in so to the registries that the command names'),
    flag('--cert-dir <folder>', 'certificates (*.crt) and client keys to use'),
    list('--registry-certificate <host=file>', 'an authority to trust for one registry'),
    list('--registry-mirror <host[/path]>', 'pull from there first what is on docker.io'),
    list('--registry-map <registry=mirror>', 'pull from a mirror first what is on this registry'),
    flag('--retry <count>', 'how often to try again after a failure (default: 3)'),
    flag('--retry-delay <time>', 'how long to wait before (default: 1s, growing)'),
  ]);
}

/**
 * Fails with `usage` on a malformed value. Paths become absolute. `images` are those that the command line names: nobody
 * but their registries is shown `--creds`, for what a file names may be a stranger's.
 */
export function registryOptions(
  flags: RegistryFlags,
  absolute: (path: string) => string,
  images: readonly string[],
): RegistryOptions {
  const { authfile, creds, certDir } = flags;
  if (creds !== undefined && !/^[^:]+:/.test(creds))
    throw usageError('--creds has no user and password', 'Write --creds USER:PASSWORD.');
  if (creds !== undefined && images.length === 0)
    throw usageError(
      '--creds is shown to the registries that the command names, and it names none',
      'Name the image with -t, or keep the login with `tsbuild login`.',
    );
  const mirrors = parseMirrors(flags);
  const certificates = parseCertificates(flags.registryCertificate, absolute);
  return {
    tlsVerify: parseBoolean('--tls-verify', flags.tlsVerify ?? 'true'),
    retries: flags.retry === undefined ? 3 : parseCount('--retry', flags.retry, 0),
    retryDelayMs: flags.retryDelay === undefined ? 1000 : parseDuration('--retry-delay', flags.retryDelay),
    ...(flags.offline && { offline: true }),
    ...(authfile !== undefined && { authFile: absolute(authfile) }),
    ...(creds !== undefined && { creds, credsFor: images }),
    ...(certDir !== undefined && { certDir: absolute(certDir) }),
    ...(certificates !== undefined && { certificates }),
    ...(mirrors.length > 0 && { mirrors }),
  };
}

/** Kaniko's form: `registry.example.com=/path/to/certificate`. */
function parseCertificates(
  texts: readonly string[] | undefined,
  absolute: (path: string) => string,
): RegistryOptions['certificates'] {
  if (texts === undefined) return undefined;
  const files = texts.map((text) => {
    const [, host, file] = /^([^=/\s]+)=(.+)$/.exec(text) ?? [];
    if (host !== undefined && file !== undefined) return [host, absolute(file)] as const;
    throw usageError(
      `--registry-certificate '${text}' does not name a registry and a file`,
      'Write --registry-certificate registry.example.com=authority.crt.',
    );
  });
  return Object.fromEntries(files);
}

/** Kaniko's forms: `--registry-mirror HOST/PATH`, and `--registry-map A=B;C=D`. */
function parseMirrors({ registryMirror = [], registryMap = [] }: RegistryFlags): Mirror[] {
  const pairs = registryMap.flatMap((text) => text.split(';')).filter((text) => text.trim() !== '');
  return [
    ...registryMirror.map((at) => mirrorOf('--registry-mirror', ['docker.io', at])),
    ...pairs.map((pair) =>
      mirrorOf('--registry-map', [pair.replace(/=.*/s, ''), pair.replace(/^[^=]*=?/, '')]),
    ),
  ];
}

function mirrorOf(name: string, [of, at]: readonly [string, string]): Mirror {
  // As in image names, a host has a dot or a port, or is localhost.
  const place = /^(?=localhost|[^/]*[.:])(?:[\w.-]+|\[[\da-f:]+\])(?::\d+)?(?:\/[\w./-]+)?$/i;
  const mirror = {
    of: of
      .trim()
      .replace(/^(index|registry-1)\.docker\.io(?=\/|$)/, 'docker.io')
      .replace(/\/+$/, ''),
    at: at.trim().replace(/\/+$/, ''),
  };
  if (place.test(mirror.of) && place.test(mirror.at.replace(/^https?:\/\//, ''))) return mirror;
  throw usageError(
    `${name} does not name a registry and its mirror: '${mirror.of}', '${mirror.at}'`,
    'Write --registry-mirror mirror.example.com, or --registry-map quay.io=mirror.example.com/quay.',
  );
}

export function parseBoolean(name: string, text: string): boolean {
  const value = booleanOf(text);
  if (value !== undefined) return value;
  throw usageError(`${name} takes true or false, not '${text}'`, `Write ${name}=false.`);
}
