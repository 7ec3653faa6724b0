import { closeSync, openSync, readSync } from 'node:fs';
import { finish, hasher } from '../src/core/digest.ts';
import type { Entry } from '../src/core/types.ts';
import { inflate } from '../src/oci/inflate.ts';
import { encodeListing, ListingBuilder } from '../src/oci/listing.ts';
import { TarReader } from '../src/oci/tar-read.ts';
import { Applier, type LayerSink } from './apply.ts';
import type { Packed } from './commit.ts';
import { isAccountFile } from './file-of.ts';
import { TreeWriter } from './tree-writer.ts';
import { serve } from './workers.ts';

/** What to unpack. */
export interface UnpackInput {
  /** A blob or tar; while it grows the job is told by `Growth` how far it may be read. */
  readonly file: string;
  readonly growing: boolean;
  /** Where the tree goes; without it only the listing is made. */
  readonly tree?: string;
  readonly mapping: string;
}

/** So many bytes of the file are there; `end` says that these are all. */
export interface Growth {
  readonly size: number;
  readonly end: boolean;
}

/** What unpacking a layer comes to. */
export interface Unpacked extends Packed {
  /** Contents of the account files, where no tree was made. */
  readonly accounts: readonly { readonly path: string; readonly bytes: Uint8Array }[];
}

const largestAccountFile = 2 ** 20;
const pieceBytes = 256 * 1024;

/** Worker thread: inflates, hashes, lists and unpacks a layer while it passes once. */
serve('unpack-worker', async (input: UnpackInput, job): Promise<Unpacked> => {
  const listing = new ListingBuilder();
  const tree =
    input.tree === undefined
      ? undefined
      : new TreeWriter(input.tree, { mapping: input.mapping, warn: (text) => job.warn(text) });
  const accounts = new AccountFiles();
  const reader = new TarReader(new Applier([...(tree === undefined ? [accounts] : [tree]), listing]));
  const hash = hasher();
  let tarSize = 0;
  try {
    for await (const chunk of inflate(pieces(input, async () => (await job.more()) as Growth))) {
      job.goOn();
      hash.update(chunk);
      tarSize += chunk.length;
      reader.write(chunk);
    }
    reader.finish();
    tree?.finish();
  } finally {
    tree?.abandon();
  }
  return {
    diffId: finish(hash),
    tarSize,
    listing: encodeListing(listing.finish()),
    accounts: [...accounts.files].map(([path, parts]) => ({ path, bytes: Buffer.concat(parts) })),
  };
});

/** Keeps the files that say which user and group a name is: a COPY asks for them where nothing is unpacked. */
class AccountFiles implements LayerSink {
  readonly files = new Map<string, Buffer[]>();
  #parts: Buffer[] | undefined;

  entry(entry: Entry): void {
    const isAccount = isAccountFile(entry.path) && entry.type === 'file';
    this.#parts = isAccount && entry.size <= largestAccountFile ? [] : undefined;
    if (this.#parts !== undefined) this.files.set(entry.path, this.#parts);
    else this.files.delete(entry.path);
  }

  data(chunk: Buffer): void {
    this.#parts?.push(Buffer.from(chunk));
  }
}

/** The file's bytes as far as they are there; waits for more while it grows. */
async function* pieces(input: UnpackInput, grown: () => Promise<Growth>): AsyncGenerator<Buffer> {
  const fd = openSync(input.file, 'r');
  try {
    let known: Growth = input.growing
      ? { size: 0, end: false }
      : { size: Number.POSITIVE_INFINITY, end: true };
    for (let at = 0; ; ) {
      while (at < known.size) {
        const piece = Buffer.allocUnsafe(Math.min(pieceBytes, known.size - at));
        const read = readSync(fd, piece, 0, piece.length, at);
        if (read === 0) return;
        at += read;
        yield piece.subarray(0, read);
      }
      if (known.end) return;
      known = await grown();
    }
  } finally {
    closeSync(fd);
  }
}
