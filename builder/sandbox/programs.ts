import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** PATH with the folders in which distributions keep programs of the administrator. */
export function searchPath(): string {
  const own = process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin';
  return `${own}:/usr/local/sbin:/usr/sbin:/sbin`;
}

/** A program's absolute path on PATH and in the administrator's folders. */
export function find(name: string): string | undefined {
  for (const folder of searchPath().split(':')) {
    const path = isAbsolute(folder) ? executable(join(folder, name)) : undefined;
    if (path !== undefined) return path;
  }
  return undefined;
}

/** The path itself where it is a file that we may execute. */
export function executable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? path : undefined;
  } catch {
    return undefined;
  }
}
