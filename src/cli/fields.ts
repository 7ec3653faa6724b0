import { resolve } from 'node:path';
import type { Host } from './host.ts';

/** The same fields without those that are undefined. */
export function compact<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** A path as people write it, seen from where they are. */
export function absolute(path: string | undefined, host: Pick<Host, 'cwd'>): string | undefined {
  return path === undefined ? undefined : resolve(host.cwd, path);
}
