import { BuildError } from '../core/errors.ts';
import { formatPlatform } from '../core/platform.ts';
import type { Platform } from '../core/types.ts';
import { attempt } from './attempt.ts';
import { expandWord } from './expand.ts';
import type { Containerfile, Word } from './types.ts';
import { valueIn } from './variables.ts';

interface GlobalOptions {
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly platform: Platform;
  readonly buildPlatform?: Platform;
  readonly errors: BuildError[];
}

/**
 * Values of the ARGs before the first FROM and of the predefined platform ARGs; a build arg comes before a default,
 * an ARG without either has no value (§1.5). `broken` are those whose default cannot be expanded, for reasons that are
 * among the errors.
 */
export function globalArgsOf(
  containerfile: Containerfile,
  options: GlobalOptions,
): { readonly values: Readonly<Record<string, string>>; readonly broken: ReadonlySet<string> } {
  const values = platformArgs(containerfile, options);
  const broken = new Set<string>();
  const scope = { values, escape: containerfile.escape };
  for (const { name, value } of containerfile.globals.flatMap(({ args }) => args)) {
    const given = valueIn(options.buildArgs, name);
    if (given !== undefined) values[name] = given;
    else if (value !== undefined) {
      const set = attempt(options.errors, () => expandGlobal(value, scope));
      if (set === undefined) broken.add(name);
      else values[name] = set;
    }
  }
  return { values, broken };
}

interface GlobalScope {
  readonly values: Readonly<Record<string, string>>;
  readonly escape: '\\' | '`';
}

/** Expands a word of FROM or a global ARG. */
export function expandGlobal(word: Word, scope: GlobalScope): string {
  try {
    return expandWord(word.text, scope.values, { escape: scope.escape });
  } catch (error) {
    throw error instanceof BuildError ? error.at(word.range) : error;
  }
}

function platformArgs(containerfile: Containerfile, options: GlobalOptions): Record<string, string> {
  const { platform, buildPlatform = platform, buildArgs } = options;
  const stage = options.target || containerfile.stages.at(-1)?.name || 'default';
  const values = {
    ...describe('BUILD', buildPlatform),
    ...describe('TARGET', platform),
    TARGETSTAGE: stage,
  };
  const overridden = Object.entries(values).map(([name, value]) => [name, valueIn(buildArgs, name) ?? value]);
  return Object.fromEntries(overridden) as Record<string, string>;
}

function describe(prefix: string, platform: Platform): Record<string, string> {
  return {
    [`${prefix}PLATFORM`]: formatPlatform(platform),
    [`${prefix}OS`]: platform.os,
    [`${prefix}OSVERSION`]: '',
    [`${prefix}ARCH`]: platform.architecture,
    [`${prefix}VARIANT`]: platform.variant ?? '',
  };
}
