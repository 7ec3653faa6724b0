import { pathOf } from '../../src/core/bytes.ts';
import { isMark } from '../../src/core/marks.ts';
import { lgetxattr, llistxattr } from '../../src/sys/xattr.ts';

/**
 * The extended attributes of a file of the context that belong to its content: file capabilities and the user's own,
 * not what the machine's security modules and file systems put there.
 */
export function readXattrs(
  absolute: string,
): { readonly xattrs: Readonly<Record<string, string>> } | undefined {
  const path = pathOf(absolute);
  const names = llistxattr(path).filter(isContent);
  if (names.length === 0) return undefined;
  return {
    xattrs: Object.fromEntries(names.sort().map((name) => [name, lgetxattr(path, name).toString('latin1')])),
  };
}

function isContent(name: string): boolean {
  if (name === 'security.capability') return true;
  return !isMark(name) && !/^(security|system)\./.test(name);
}
