import type { Host } from './host.ts';
import { parseSize } from './values.ts';

/** The bound on the store that `TSBUILD_KEEP_STORAGE` sets, for those who share their disk with more. Fails with `usage`. */
export function keepBytes({ TSBUILD_KEEP_STORAGE: size }: Host['env']): number | undefined {
  return size ? parseSize('TSBUILD_KEEP_STORAGE', size) : undefined;
}
