import type { AnalyseOptions } from '../containerfile/analyse.ts';
import type { BuildOptions } from '../core/options.ts';
import { hostPlatform } from '../core/platform.ts';
import { targetPlatforms } from '../core/target-platforms.ts';

/** What graphs are made for: every platform asked for, on this machine. */
export function graphOptions(options: BuildOptions): AnalyseOptions {
  const { target, buildArgs, from } = options;
  return {
    buildArgs,
    platforms: targetPlatforms(options),
    buildPlatform: hostPlatform(),
    contexts: Object.keys(options.contexts),
    ...(target !== undefined && { target }),
    ...(from !== undefined && { from }),
  };
}
