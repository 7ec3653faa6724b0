import { usageError } from '../core/errors.ts';
import { hostPlatform } from '../core/platform.ts';
import type { Platform } from '../core/types.ts';
import { parsePlatform, parsePlatforms } from './values.ts';

export interface PlatformFlags {
  readonly platform?: readonly string[];
  readonly os?: string;
  readonly arch?: string;
  readonly variant?: string;
}

/** `--platform`, or one platform by its parts as podman has them; parts that are left out are this machine's. */
export function platformsOf({ platform, os, arch, variant }: PlatformFlags): Platform[] {
  if (os === undefined && arch === undefined && variant === undefined) return parsePlatforms(platform ?? []);
  if (platform !== undefined)
    throw usageError('--platform and --os, --arch, --variant say the same in two ways', 'Keep one of both.');
  const own = hostPlatform();
  const architecture = arch ?? own.architecture;
  return [parsePlatform([os ?? own.os, architecture, ...(variant === undefined ? [] : [variant])].join('/'))];
}
