import { compileIgnore, type IgnorePatterns } from '../../builder/context/ignore-patterns.ts';
import { parseMode } from '../../builder/steps/copy-mode.ts';
import type { BaseFacts, CheckOptions } from '../containerfile/check/check.ts';
import type { IgnoreFacts } from '../containerfile/check/facts.ts';
import { contextName } from '../containerfile/context-names.ts';
import type { GraphStage } from '../containerfile/types.ts';
import type { BuildOptions } from '../core/options.ts';
import type { ImageConfig, Platform } from '../core/types.ts';
import { parseReference } from '../oci/reference.ts';
import type { Input } from './input.ts';

/** What a check is told of the world around the file. `configOf` gives the configurations of images at hand. */
export function checkOptions(
  options: BuildOptions,
  { ignore }: Pick<Input, 'ignore'>,
  configOf: (reference: string, platform: Platform) => ImageConfig | undefined,
): CheckOptions {
  const contexts = new Set(Object.keys(options.contexts).map((name) => contextName(name.split('::')[0]!)));
  return {
    buildArgs: options.buildArgs,
    ...(options.target !== undefined && { target: options.target }),
    base: ({ base, platform }: GraphStage) => {
      const config = base.kind === 'image' ? configOf(base.reference, platform) : undefined;
      return config === undefined ? undefined : baseFacts(config);
    },
    ...(ignore !== undefined && {
      ignore: ignoreFacts(ignore.text, compileIgnore(ignore.text, ignore.path)),
    }),
    checkReference: (text) => {
      if (!contexts.has(contextName(text))) parseReference(text);
    },
    checkMode: (text) => void parseMode(text),
  };
}

/** What the text of an ignore file says of paths. */
export function ignoreFacts(text: string, patterns: IgnorePatterns): IgnoreFacts {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  const written = lines.map((line) => line.trim());
  return {
    matches: (path) => patterns.matches(path),
    reincludes: written.some((line) => line.startsWith('!')),
    everything: written.some((line) => ['*', '**', '**/*'].includes(line.replace(/^\//, ''))),
  };
}

function baseFacts({ config = {}, os, architecture, variant }: ImageConfig): BaseFacts {
  const { Env: env = [], Shell: shell, OnBuild: triggers = [] } = config;
  const platform = { os, architecture, ...(variant !== undefined && { variant }) };
  return { env, triggers, platform, ...(shell !== undefined && { shell }) };
}
