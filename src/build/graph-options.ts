import type { GraphOptions } from '../containerfile/graph.ts';
import type { BuildOptions } from '../core/options.ts';
import { hostPlatform } from '../core/platform.ts';

/** What the graph is made for: the platform asked for, else this machine's. */
export function graphOptions({ target, buildArgs, platforms }: BuildOptions): GraphOptions {
  const own = hostPlatform();
  return {
    buildArgs,
    platform: platforms[0] ?? own,
    buildPlatform: own,
    ...(target !== undefined && { target }),
  };
}
