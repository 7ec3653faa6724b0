import type { GraphOptions } from '../containerfile/graph.ts';
import type { BuildOptions } from '../core/options.ts';
import { hostPlatform } from '../core/platform.ts';
import { targetPlatforms } from '../core/target-platforms.ts';

/** What a graph is made for: a platform, by default the first of those asked for. */
export function graphOptions(options: BuildOptions, platform = targetPlatforms(options)[0]): GraphOptions {
  const { target, buildArgs } = options;
  return { buildArgs, platform, buildPlatform: hostPlatform(), ...(target !== undefined && { target }) };
}
