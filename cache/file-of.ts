import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { pathOf } from '../src/core/bytes.ts';
import { digestOf } from '../src/core/digest.ts';
import { BuildError } from '../src/core/errors.ts';
import type { Entry, Listing } from '../src/core/types.ts';
import { TarReader } from '../src/oci/tar-read.ts';
import { Applier } from './apply.ts';

/** The regular file at `path` in a layer, a hard link's target included. */
export function regularFile(listing: Listing, path: string): Entry {
  const entry = listing.find((one) => one.path === path && one.type !== 'opaque');
  const file = entry?.type === 'hardlink' ? listing.find((one) => one.path === entry.link) : entry;
  if (file?.type === 'file') return file;
  throw new BuildError('not-found', `the layer holds no regular file "${path}"`);
}

/** Its content from an unpacked tree, in which no parent of a listed path is a symlink. */
export function fileFromTree(tree: string, entry: Entry): Buffer {
  const fd = openSync(pathOf(`${tree}/${entry.path}`), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return checkContent(entry, readFileSync(fd));
  } finally {
    closeSync(fd);
  }
}

/** Its content from the layer's tar, which is read no further than needed. */
export async function fileFromTar(tar: AsyncIterable<Buffer>, wanted: Entry): Promise<Buffer> {
  let parts: Buffer[] | undefined;
  let current = false;
  const pick = {
    entry(entry: Entry) {
      current = entry.path === wanted.path && entry.type === 'file';
      if (current) parts = [];
    },
    data(chunk: Buffer) {
      if (current) parts?.push(Buffer.from(chunk));
    },
  };
  const reader = new TarReader(new Applier([pick]));
  for await (const chunk of tar) {
    reader.write(chunk);
    const content = Buffer.concat(parts ?? []);
    if (parts !== undefined && digestOf(content) === wanted.digest) return content;
  }
  return checkContent(wanted, Buffer.concat(parts ?? []));
}

function checkContent(entry: Entry, content: Buffer): Buffer {
  if (digestOf(content) === entry.digest) return content;
  throw new BuildError(
    'digest-mismatch',
    `the content of "${entry.path}" is not what the layer's listing says`,
    {
      hint: 'The store was altered from outside: remove the image and pull or build it anew.',
    },
  );
}

/** The files that say whom names belong to: small, and asked for long before a layer is unpacked. */
export function isAccountFile(path: string): boolean {
  return path === 'etc/passwd' || path === 'etc/group';
}
