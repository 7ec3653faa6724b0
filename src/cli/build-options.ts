import { readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { errnoOf, usageError } from '../core/errors.ts';
import type { BuildOptions, ProcessOptions } from '../core/options.ts';
import { makesIndex, targetPlatforms } from '../core/target-platforms.ts';
import { parseAgents } from './agents.ts';
import { parseAnnotations } from './annotations.ts';
import { attestOptions, keyOf } from './attest-flags.ts';
import { type BuildFlags, ignoredFlags } from './build-flags.ts';
import { cacheOptions } from './caches.ts';
import { absolute, compact } from './fields.ts';
import type { Host } from './host.ts';
import { keepBytes } from './keep-bytes.ts';
import { platformsOf } from './platforms.ts';
import { processOptions } from './process-options.ts';
import { resultOptions } from './results.ts';
import {
  isFetched,
  parseContext,
  parseContexts,
  parseEntitlement,
  parseFile,
  parseSecret,
} from './sources.ts';
import { EPOCH, epochOf } from './times.ts';
import { parseArgLines, parseChoice, parseCount, parsePairs } from './values.ts';
import { parseVolume } from './volumes.ts';

/** What `build()` is told, but for what only the running command can give. */
export type WrittenOptions = Omit<BuildOptions, 'emit' | 'signal'>;

/** The flags of build as options. Fails with `usage`; every message names the flag. */
export function buildOptions(flags: BuildFlags, words: readonly string[], host: Host): WrittenOptions {
  const building = !flags.check && (flags.call ?? 'build') === 'build';
  const context = contextOf(building || words.length > 0 ? words : ['.'], host.cwd);
  const file = flags.file === undefined ? undefined : parseFile(flags.file, { cwd: host.cwd, context });
  if (context === '-' && file === '-')
    throw usageError('the context and the Containerfile cannot both come from stdin', 'Name one of them.');
  const tags = [...(flags.tag ?? []), ...(flags.destination ?? [])];
  const input = inputOptions(flags, host);
  const epoch = epochOf(flags, input.buildArgs, host);
  const caches = cacheOptions(flags, { cwd: host.cwd, buildArgs: input.buildArgs });
  return {
    context,
    tags,
    ...input,
    buildArgs: epoch === undefined ? input.buildArgs : { ...input.buildArgs, [EPOCH]: String(epoch) },
    ...runOptions(flags, host),
    ...resultOptions(flags, { tags, platforms: input.platforms, cacheTo: caches.cacheTo }, host),
    format: parseChoice('--format', flags.format ?? 'oci', ['oci', 'docker'] as const),
    noCache: noCacheOf(flags),
    ...caches,
    ...volumesOf(flags, host),
    pull: pullOf(flags),
    attest: attestOptions(flags),
    ...compact({
      debug: debugOf(flags, host),
      lock: lockOf(flags, host),
      sign: flags.sign === undefined ? undefined : keyOf(flags.sign, host.cwd),
      file,
      target: flags.target,
      from: flags.from,
      ignoreFile: absolute(flags.ignorefile, host),
      keepBytes: keepBytes(host.env),
      sourceDateEpoch: epoch,
    }),
  };
}

/** The flags that were written and have no effect here, by their long names. */
export function ignoredOf(flags: BuildFlags): string[] {
  const names = ignoredFlags.map((words) => words.split(' ')[0]!);
  return names.filter((name) => flags[camelCase(name.slice(2))] !== undefined);
}

/** A build that is to stop has to have somebody to stop for; one that only might goes on without. */
function debugOf({ debugShell = false, break: breaks = [] }: BuildFlags, host: Host) {
  if (!debugShell && breaks.length === 0) return undefined;
  if (breaks.length > 0 && !(host.isTerminal(0) && host.isTerminal(2)))
    throw usageError(
      '--break stops for a person, and stdin or stderr is no terminal',
      'Leave it away: what a step that failed has left can be looked at later with `tsbuild debug`.',
    );
  return { atFailures: debugShell, breaks };
}

function contextOf(words: readonly string[], cwd: string): string {
  const [word, extra] = words;
  if (word === undefined)
    throw usageError(
      'no context is named',
      'Write `tsbuild -t NAME .`: the folder whose files the build may read.',
    );
  if (extra !== undefined)
    throw usageError(
      `build takes one context, not also '${extra}'`,
      'Flags need their dashes; `tsbuild --help` lists the commands.',
    );
  const context = parseContext(word, cwd);
  if (context !== '-' && !isFetched(context) && !isFolder(context))
    throw usageError(
      `there is no folder ${context}`,
      'Name the folder whose files the build may read, such as `.`.',
    );
  return context;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function inputOptions(
  flags: BuildFlags,
  host: Host,
): Pick<
  WrittenOptions,
  'buildArgs' | 'labels' | 'env' | 'unsetEnv' | 'annotations' | 'platforms' | 'contexts' | 'enable'
> {
  const fromFiles = (flags.buildArgFile ?? []).flatMap((file) => parseArgLines(readArgFile(file, host.cwd)));
  const fromEnv = (name: string): string | undefined => host.env[name];
  const buildArgs = parsePairs('--build-arg', [...fromFiles, ...(flags.buildArg ?? [])], fromEnv);
  const platforms = platformsOf(flags);
  const asked = { platforms, buildArgs };
  const made = { isIndex: makesIndex(asked), platforms: targetPlatforms(asked) };
  return {
    buildArgs,
    labels: parsePairs('--label', flags.label ?? [], () => ''),
    ...(flags.env && { env: parsePairs('--env', flags.env, fromEnv) }),
    ...(flags.unsetenv && { unsetEnv: flags.unsetenv }),
    annotations: parseAnnotations(flags.annotation ?? [], made),
    platforms,
    contexts: parseContexts(flags.buildContext ?? [], host.cwd),
    enable: (flags.enable ?? []).flatMap((names) => names.split(',').map((name) => name.trim())),
  };
}

function readArgFile(file: string, cwd: string): string {
  try {
    return readFileSync(resolve(cwd, file), 'utf8');
  } catch (error) {
    throw usageError(`--build-arg-file ${file} cannot be read (${errnoOf(error) ?? 'unknown'})`);
  }
}

function runOptions(
  flags: BuildFlags,
  host: Host,
): ProcessOptions & Pick<WrittenOptions, 'secrets' | 'ssh' | 'allow' | 'runtime' | 'jobs'> {
  const runtime = flags.runtime?.includes('/') ? resolve(host.cwd, flags.runtime) : flags.runtime;
  return {
    ...processOptions(flags),
    secrets: (flags.secret ?? []).map((text) => parseSecret(text, host)),
    ssh: parseAgents(flags.ssh ?? [], host),
    allow: (flags.allow ?? []).map(parseEntitlement),
    jobs:
      flags.jobs === undefined ? Math.max(4, availableParallelism()) : parseCount('--jobs', flags.jobs, 1),
    ...compact({ runtime }),
  };
}

function volumesOf({ volume }: BuildFlags, { cwd }: Host): Pick<WrittenOptions, 'volumes'> {
  return volume === undefined ? {} : { volumes: volume.map((text) => parseVolume(text, cwd)) };
}

function noCacheOf(flags: BuildFlags): boolean | readonly string[] {
  if (!flags.cache) return true;
  if (flags.cacheFilter === true) return false;
  const stages = flags.cacheFilter.flatMap((text) => text.split(',')).filter((stage) => stage !== '');
  return stages.length === 0 ? false : stages;
}

function pullOf({ pull: written, offline }: BuildFlags): WrittenOptions['pull'] {
  const pull = parsePull(written);
  if (!offline) return pull;
  if (pull === 'missing' || pull === 'never') return 'never';
  throw usageError(`--offline asks no registry, and --pull=${pull} does`, 'Keep one of both.');
}

function parsePull(written: string | undefined): WrittenOptions['pull'] {
  if (written === undefined || written === 'false') return 'missing';
  if (written === 'true') return 'always';
  return parseChoice('--pull', written, ['always', 'missing', 'never', 'newer'] as const);
}

function lockOf({ lock, frozen }: BuildFlags, host: Host): WrittenOptions['lock'] {
  if (lock !== undefined && frozen !== undefined)
    throw usageError('--lock writes the lock file, and --frozen goes by it', 'Keep one of both.');
  const file = lock ?? frozen;
  if (file === undefined) return undefined;
  return {
    mode: lock === undefined ? 'frozen' : 'write',
    ...compact({ file: absolute(file || undefined, host) }),
  };
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
