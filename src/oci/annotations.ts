import type { Annotation } from '../core/options.ts';
import { formatPlatform } from '../core/platform.ts';
import type { Platform } from '../core/types.ts';

/** Names and values of one level, those of a platform's own over those of all; undefined where there are none. */
export function annotationsAt(
  annotations: readonly Annotation[],
  level: Annotation['level'],
  platform?: Platform,
): Readonly<Record<string, string>> | undefined {
  const own = platform && formatPlatform(platform);
  const wanted = annotations.filter((one) => one.level === level);
  const general = wanted.filter((one) => one.platform === undefined);
  const special = wanted.filter((one) => one.platform && formatPlatform(one.platform) === own);
  const entries = [...general, ...special].map(({ name, value }) => [name, value] as const);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
