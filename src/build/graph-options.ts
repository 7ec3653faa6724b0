import type { GraphOptions } from '../containerfile/graph.ts';
import type { BuildOptions } from '../core/options.ts';
import { formatPlatform, hostPlatform, parsePlatform } from '../core/platform.ts';
import type { Platform } from '../core/types.ts';

/** What the graph is made for: the platform asked for, else this machine's. */
export function graphOptions({ target, buildArgs, platforms, contexts }: BuildOptions): GraphOptions {
  const own = hostPlatform();
  const platform = platforms[0] ?? own;
  return {
    buildArgs,
    platform,
    contexts: contextsFor(Object.keys(contexts), [platform, own]),
    buildPlatform: own,
    ...(target !== undefined && { target }),
  };
}

/** Names of the contexts that count here: `name::linux/arm64` is for that platform alone. */
function contextsFor(written: readonly string[], platforms: readonly Platform[]): string[] {
  const wanted = platforms.map(formatPlatform);
  return written.flatMap((text) => {
    const [name = '', platform] = text.split('::');
    return platform === undefined || wanted.includes(formatPlatform(parsePlatform(platform))) ? [name] : [];
  });
}
