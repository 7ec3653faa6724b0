import { compileIgnore, type IgnorePatterns } from '../../builder/context/ignore-patterns.ts';
import { parseMode } from '../../builder/steps/copy-mode.ts';
import type { BaseFacts, CheckOptions } from '../containerfile/check/check.ts';
import type { IgnoreFacts } from '../containerfile/check/facts.ts';
import { contextName, parseContextName } from '../containerfile/context-names.ts';
import type { GraphStage } from '../containerfile/types.ts';
import type { BuildOptions } from '../core/options.ts';
import type { ImageConfig, Platform } from '../core/types.ts';
import { platformOf } from '../oci/config.ts';
import { nearest } from '../oci/platform.ts';
import { parseReference } from '../oci/reference.ts';
import type { Input } from './input.ts';

/** Configurations of the base images that are known by now, by `imageKey`. */
export type KnownConfigs = ReadonlyMap<string, ImageConfig>;

/** What a base image is known by: two platforms of one name are two images. */
export function imageKey(reference: string, platform: Platform): string {
  return JSON.stringify([reference, platform]);
}

/** What a check is told of the world around the file. It sees what `configs` holds when it runs. */
export function checkOptions(
  options: BuildOptions,
  { ignore }: Pick<Input, 'ignore'>,
  configs: KnownConfigs,
): CheckOptions {
  const contexts = new Set(Object.keys(options.contexts).map((written) => parseContextName(written).name));
  return {
    buildArgs: options.buildArgs,
    env: options.env,
    ...(options.target !== undefined && { target: options.target }),
    base: (stage: GraphStage) => {
      const { base, platform } = stage;
      const config = base.kind === 'image' ? configs.get(imageKey(base.reference, platform)) : undefined;
      return config === undefined ? undefined : baseFacts(config, stage, options);
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
    couldReinclude: (path) => patterns.couldReinclude(path),
    everything: written.some((line) => ['*', '**', '**/*'].includes(line.replace(/^\//, ''))),
  };
}

function baseFacts(
  image: ImageConfig,
  { stage, platform: wanted }: GraphStage,
  { platforms }: BuildOptions,
): BaseFacts {
  const { Env: env = [], Shell: shell, OnBuild: triggers = [] } = image.config ?? {};
  const own = platformOf(image);
  const isAsked = platforms.length > 0 || stage.from.platform !== undefined;
  // Where no platform was asked for, older programs that run on this machine are as good.
  const isAsGood = !isAsked && nearest([own], (one) => one, wanted) !== undefined;
  return { env, triggers, platform: isAsGood ? wanted : own, ...(shell !== undefined && { shell }) };
}
