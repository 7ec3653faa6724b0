import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '../src/core/errors.ts';
import type { KeptMount, LayerWriter } from '../src/core/store.ts';
import type { Entry, Layer } from '../src/core/types.ts';
import { hasOneId } from '../src/sys/owner-attribute.ts';
import type { Home } from './home.ts';
import { entriesOfUpper } from './upper.ts';
import { itemsOf } from './usage.ts';

/** Beside the folders of a mount: its id. */
export const idFile = 'id';

/** Writes a mount's id down, once. */
export function noteId(home: Home, name: string, id: string): void {
  const file = join(home.path('mounts', name), idFile);
  if (!existsSync(file)) home.write(file, id);
}

/** The mounts of the store whose ids are known. */
export function keptMounts(home: Home): readonly KeptMount[] {
  const found = itemsOf(home).flatMap(({ kind, path, bytes, used }) => {
    const file = join(path, idFile);
    return kind === 'mounts' && existsSync(file) ? [{ id: readFileSync(file, 'utf8'), bytes, used }] : [];
  });
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** No root is like this one: that of a mount is always written. */
const noRoot: Entry = { path: '', type: 'dir', mode: -1, uid: 0, gid: 0, size: 0, mtime: 0 };

/** Writes what lies in a mount's folder as a layer. */
export async function packMount(folder: string, writer: LayerWriter): Promise<Layer> {
  try {
    const owners = hasOneId() ? { beside: [] } : undefined;
    for (const entry of entriesOfUpper({ folder, root: noRoot, owners })) {
      if (!isPlain(entry)) continue;
      await writer.add(entry, entry.type === 'file' ? `${folder}/${entry.path}` : undefined);
    }
    return await writer.commit();
  } finally {
    await writer.abandon();
  }
}

/** What a cache mount may be filled with: no device, no pipe, and nothing that hides something. */
export function isPlain({ type }: Pick<Entry, 'type'>): boolean {
  return ['file', 'dir', 'symlink', 'hardlink'].includes(type);
}

export function notPlain({ path, type }: Entry): BuildError {
  return new BuildError('layer', `"${path}" is a ${type}, which no cache mount is filled with`, {
    hint: 'It takes files, directories and links.',
  });
}
