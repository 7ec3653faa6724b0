import type { BuildOptions } from './options.ts';

/** Seconds since 1970 to which times of the build's own layers are clamped; undefined where they stay. */
export function clampEpoch({
  sourceDateEpoch,
  keepTimes = false,
}: Pick<BuildOptions, 'sourceDateEpoch' | 'keepTimes'>): number | undefined {
  return keepTimes ? undefined : sourceDateEpoch;
}
