import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { entryTexts, linksOf, type Settings } from '../commands/bake.ts';
import { BuildError } from '../core/errors.ts';
import { normalPath } from '../core/paths.ts';
import type { BuildFlags } from './build-flags.ts';
import { buildOptions, type WrittenOptions } from './build-options.ts';
import type { Host } from './host.ts';
import { isFetched, parseContext } from './sources.ts';

/** What the command line says for every target. */
export interface ForAll {
  readonly runtime?: string;
  readonly jobs?: string;
  readonly memory?: string;
  readonly offline?: boolean;
  /** What steps may ask for: names of `--allow`. */
  readonly allow: readonly string[];
}

/** A target as the options of a build. Fails with `usage` or `denied`, naming the target. */
export function targetOptions(
  name: string,
  settings: Settings,
  { host, forAll }: { readonly host: Host; readonly forAll: ForAll },
): WrittenOptions {
  try {
    const context = contextOf(settings, host.cwd);
    const options = buildOptions(flagsOf(settings, forAll), [context], host);
    const file = fileOf(settings, context, host.cwd);
    return {
      ...options,
      ...(file !== undefined && { file }),
      ...(settings['dockerfile-inline'] !== undefined && {
        inline: { file: `${name} (dockerfile-inline)`, text: settings['dockerfile-inline'] },
      }),
      contexts: { ...options.contexts, ...targetContexts(settings) },
    };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    const { code, message, hint } = error;
    throw new BuildError(code, `target ${name}: ${message}`, hint === undefined ? {} : { hint });
  }
}

/** `cwd://` is where the command runs, and so is every other path. */
function contextOf({ context = '.' }: Settings, cwd: string): string {
  if (context === '-')
    throw new BuildError('context', 'the context of a target cannot come from stdin', {
      hint: 'Name a folder.',
    });
  return parseContext(withoutCwd(context), cwd);
}

function withoutCwd(path: string): string {
  return path.startsWith('cwd://') ? path.slice('cwd://'.length) || '.' : path;
}

/** The Containerfile lies in the context. What nobody named is looked for under its usual names. */
function fileOf({ dockerfile = 'Dockerfile' }: Settings, context: string, cwd: string): string | undefined {
  if (dockerfile === '-')
    throw new BuildError('context', 'the Containerfile of a target cannot come from stdin', {
      hint: 'Write it into the file: dockerfile-inline.',
    });
  if (/^https?:\/\//i.test(dockerfile) || isAbsolute(dockerfile)) return dockerfile;
  if (dockerfile.startsWith('cwd://')) return resolve(cwd, withoutCwd(dockerfile));
  if (isFetched(context)) return dockerfile === 'Dockerfile' ? undefined : normalPath(dockerfile);
  const path = join(context, dockerfile);
  return dockerfile === 'Dockerfile' && !existsSync(path) ? undefined : path;
}

function targetContexts(settings: Settings): Record<string, string> {
  if (linksOf(settings).length === 0) return {};
  const entries = Object.entries(settings.contexts ?? {});
  return Object.fromEntries(entries.flatMap(([name, where]) => (isLink(where) ? [[name, where]] : [])));
}

function isLink(where: string | null): where is string {
  return where?.startsWith('target:') === true;
}

/** The flags of build that say the same. */
function flagsOf(settings: Settings, { allow, ...forAll }: ForAll): BuildFlags {
  const { outputs, tags, push } = outputFlags(settings);
  return {
    ...forAll,
    ...(settings.target !== undefined && { target: settings.target }),
    buildArg: pairs(settings.args),
    label: pairs(settings.labels),
    buildContext: pairs(settings.contexts)
      .filter((pair) => !/^[^=]*=target:/s.test(pair))
      .map((pair) => pair.replace(/^([^=]*=)cwd:\/\//s, '$1./')),
    annotation: settings.annotations ?? [],
    platform: settings.platforms ?? [],
    tag: tags,
    output: outputs,
    push,
    cache: settings['no-cache'] !== true,
    cacheFilter: settings['no-cache-filter'] ?? true,
    cacheFrom: entryTexts(settings, 'cache-from'),
    cacheTo: entryTexts(settings, 'cache-to'),
    ...(settings.pull === true && { pull: 'always' }),
    secret: entryTexts(settings, 'secret'),
    ssh: entryTexts(settings, 'ssh'),
    attest: attestTexts(settings),
    allow: granted(settings, allow),
    ...(settings.network !== undefined && { network: settings.network }),
    addHost: pairs(settings['extra-hosts']),
    ulimit: settings.ulimits ?? [],
    ...(settings['shm-size'] !== undefined && { shmSize: settings['shm-size'] }),
  };
}

function pairs(named: Settings['args'] = {}): string[] {
  return Object.entries(named).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]));
}

/** What is disabled is not asked for. */
function attestTexts(settings: Settings): readonly string[] {
  const attest = (settings.attest ?? []).filter(({ disabled }) => disabled !== 'true');
  return entryTexts({ attest }, 'attest');
}

interface OutputFlags {
  readonly outputs: readonly string[];
  readonly tags: readonly string[];
  readonly push: boolean;
}

/** An image is kept under its names anyway; `type=image,push=true` pushes it, `type=cacheonly` keeps no name. */
function outputFlags(settings: Settings): OutputFlags {
  const all = settings.output ?? [];
  const images = all.filter(({ type }) => type === 'image');
  const rest = all.filter(({ type }) => type !== 'image' && type !== 'cacheonly');
  const names = images.flatMap(({ name }) => (name === undefined ? [] : String(name).split(',')));
  const isNameless = all.length > 0 && all.every(({ type }) => type === 'cacheonly');
  return {
    outputs: entryTexts({ output: rest }, 'output'),
    tags: isNameless ? [] : [...new Set([...(settings.tags ?? []), ...names])],
    push: images.some(({ push }) => push === 'true'),
  };
}

/** What a target asks for must have been allowed by the command line: a file may be a stranger's. */
function granted({ entitlements = [] }: Settings, allow: readonly string[]): readonly string[] {
  const words = entitlements.filter((word) => word !== 'network.host');
  const refused = words.find((word) => !allow.includes(word));
  if (refused === undefined) return allow;
  throw new BuildError('denied', `it asks for ${refused}`, {
    hint: `Add --allow ${refused} to the command if you trust its files.`,
  });
}
