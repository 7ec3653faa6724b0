import { booleanOf } from './boolean.ts';
import type { BuildOptions } from './options.ts';
import { hostPlatform } from './platform.ts';
import type { Platform } from './types.ts';

type Asked = Pick<BuildOptions, 'platforms' | 'buildArgs'>;

/** What a build is made for: the platforms asked for, else this machine's. */
export function targetPlatforms({ platforms }: Asked): readonly [Platform, ...Platform[]] {
  const [first = hostPlatform(), ...others] = platforms;
  return [first, ...others];
}

/** Whether the result is an index: with several platforms, and where `BUILDKIT_MULTI_PLATFORM` asks for it with one. */
export function makesIndex({ platforms, buildArgs }: Asked): boolean {
  return platforms.length > 1 || booleanOf(buildArgs.BUILDKIT_MULTI_PLATFORM ?? '') === true;
}
