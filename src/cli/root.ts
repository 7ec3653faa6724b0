import { isAbsolute, join, resolve } from 'node:path';
import type { Host } from './host.ts';

/** `--root`, else `$TSBUILD_ROOT`, else tsbuild in the data folder of the person. */
export function storeRoot(
  flags: { readonly root?: string },
  host: Pick<Host, 'env' | 'cwd'> & { readonly place: Pick<Host['place'], 'home'> },
): string {
  const { TSBUILD_ROOT: root, XDG_DATA_HOME: data } = host.env;
  if (flags.root) return resolve(host.cwd, flags.root);
  if (root) return resolve(host.cwd, root);
  if (data && isAbsolute(data)) return join(data, 'tsbuild');
  return join(host.place.home, '.local/share/tsbuild');
}
