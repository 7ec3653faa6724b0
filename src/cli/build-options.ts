import { readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { errnoOf, usageError } from '../core/errors.ts';
import type { BuildOptions, Output, ProcessOptions } from '../core/options.ts';
import { makesIndex, targetPlatforms } from '../core/target-platforms.ts';
import { parseAgents } from './agents.ts';
import { parseAnnotations } from './annotations.ts';
import { attestOptions, keyOf } from './attest-flags.ts';
import { type BuildFlags, ignoredFlags } from './build-flags.ts';
import { cacheOptions } from './caches.ts';
import type { Host } from './host.ts';
import { keepBytes } from './keep-bytes.ts';
import { keepsTimes, parseOutput } from './outputs.ts';
import { platformsOf } from './platforms.ts';
import { processOptions } from './process-options.ts';
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
  const outputs = checkPlatforms(outputsOf(flags, tags, host), input.platforms);
  return {
    context,
    tags,
    ...input,
    buildArgs: epoch === undefined ? input.buildArgs : { ...input.buildArgs, [EPOCH]: String(epoch) },
    ...runOptions(flags, host),
    outputs,
    format: parseChoice('--format', flags.format ?? 'oci', ['oci', 'docker'] as const),
    noCache: noCacheOf(flags),
    ...cacheOptions(flags, { cwd: host.cwd, buildArgs: input.buildArgs }),
    ...volumesOf(flags, host),
    ...digestFilesOf(flags, host),
    ...(keepsTimes(flags.output) && { keepTimes: true }),
    pull: pullOf(flags),
    attest: attestOptions(flags),
    ...compact({
      debug: debugOf(flags, host),
      lock: lockOf(flags, host),
      sign: flags.sign === undefined ? undefined : keyOf(flags.sign, host.cwd),
      file,
      target: flags.target,
      from: flags.from,
      squash: squashOf(flags),
      iidFile: absolute(flags.iidfile, host),
      metadataFile: absolute(flags.metadataFile, host),
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

function outputsOf(flags: BuildFlags, tags: readonly string[], host: Host): Output[] {
  const near = { cwd: host.cwd, tags, stdoutIsTerminal: host.isTerminal(1) };
  const outputs = (flags.output ?? []).map((text) => parseOutput(text, near));
  if (flags.load && !outputs.some((output) => output.type === 'load')) outputs.push({ type: 'load' });
  const push = flags.push ?? flags.destination !== undefined;
  if (push && tags.length === 0) throw usageError('--push has no name to push to', 'Add -t NAME.');
  if (push) outputs.push({ type: 'registry', names: tags });
  if (flags.sign !== undefined && !outputs.some(({ type }) => type === 'registry'))
    throw usageError('--sign signs what is pushed, and nothing is', 'Add --push.');
  if (flags.offline && outputs.some(({ type }) => type === 'registry'))
    throw usageError('--offline asks no registry, and pushing does', 'Keep one of both.');
  if (outputs.filter((output) => 'dest' in output && output.dest === '-').length > 1)
    throw usageError('two outputs go to stdout', 'Give one of them a dest=FILE.');
  return outputs;
}

/** Docker's archives hold one platform: told before anything is built. */
function checkPlatforms(outputs: Output[], platforms: WrittenOptions['platforms']): Output[] {
  const output = outputs.find(({ type }) => type === 'load' || type === 'docker');
  if (platforms.length < 2 || output === undefined) return outputs;
  throw usageError(
    `${output.type === 'load' ? '--load' : '-o type=docker'} cannot hold an image for several platforms`,
    'Name one platform with --platform, or write an OCI archive with -o type=oci,dest=FILE.',
  );
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

function volumesOf({ volume }: BuildFlags, { cwd }: Host): Pick<WrittenOptions, 'volumes'> {
  return volume === undefined ? {} : { volumes: volume.map((text) => parseVolume(text, cwd)) };
}

function digestFilesOf(
  { digestFile, imageNameWithDigestFile, imageNameTagWithDigestFile }: BuildFlags,
  host: Host,
): Pick<WrittenOptions, 'digestFile' | 'nameDigestFile' | 'nameTagDigestFile'> {
  return compact({
    digestFile: absolute(digestFile, host),
    nameDigestFile: absolute(imageNameWithDigestFile, host),
    nameTagDigestFile: absolute(imageNameTagWithDigestFile, host),
  });
}

function squashOf({ squash, squashAll, cacheTo = [] }: BuildFlags): WrittenOptions['squash'] {
  if (!squash && !squashAll) return undefined;
  if (cacheTo.some((text) => text.split(',').includes('type=inline')))
    throw usageError(
      'an image of one layer cannot be a cache of its steps',
      'Share the cache apart: --cache-to type=registry,ref=NAME.',
    );
  return squashAll ? 'all' : 'new';
}

function absolute(path: string | undefined, host: Host): string | undefined {
  return path === undefined ? undefined : resolve(host.cwd, path);
}

/** The same fields without those that are undefined. */
function compact<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
