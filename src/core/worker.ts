import { fileURLToPath } from 'node:url';

/**
 * The built file of a worker thread, by its name without extension. Workers are entries of the bundle; when the
 * caller itself runs from source (tests), the built one in `dist/` beside `src/` is used.
 */
export function workerFile(name: string): string {
  const here = import.meta.url;
  const url = here.endsWith('.ts') ? new URL(`../../dist/${name}.js`, here) : new URL(`./${name}.js`, here);
  return fileURLToPath(url);
}
