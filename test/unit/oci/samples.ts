import type { Entry } from '../../../src/core/types.ts';
import { TarReader } from '../../../src/oci/tar-read.ts';
import { headerOf, paddingOf, trailer } from '../../../src/oci/tar-write.ts';

/** A generator of pseudo-random whole numbers below a bound; the same seed gives the same row. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** An entry with its content. */
export interface Item {
  readonly entry: Entry;
  readonly content: Buffer;
}

export function item(entry: Partial<Entry> & { path: string }, content: Buffer | string = ''): Item {
  const bytes = Buffer.from(content);
  const base = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 1_700_000_000 } as const;
  return { entry: { ...base, size: bytes.length, ...entry }, content: bytes };
}

export function tarOf(items: readonly Item[]): Buffer {
  const parts = items.flatMap(({ entry, content }) => [headerOf(entry), content, paddingOf(content.length)]);
  return Buffer.concat([...parts, trailer]);
}

/** Reads a tar in pieces of `step` bytes. */
export function read(tar: Buffer, step = tar.length): Item[] {
  const items: { entry: Entry; content: Buffer; ended: boolean }[] = [];
  const reader = new TarReader({
    entry: (entry) => items.push({ entry, content: Buffer.alloc(0), ended: false }),
    data: (chunk) => {
      const last = items.at(-1)!;
      last.content = Buffer.concat([last.content, chunk]);
    },
    end: () => {
      items.at(-1)!.ended = true;
    },
  });
  for (let at = 0; at < tar.length; at += step) reader.write(tar.subarray(at, at + step));
  reader.finish();
  if (!items.every((one) => one.ended)) throw new Error('an entry did not end');
  return items.map(({ entry, content }) => ({ entry, content }));
}

/** Entries of every kind with odd names, owners, times and attributes. */
export function randomItems(seed: number, count: number): Item[] {
  const random = seeded(seed);
  const pick = <T>(values: readonly T[]): T => values[random(values.length)]!;
  return Array.from({ length: count }, (_, i): Item => {
    const name = pick([
      'plain',
      'ümläut',
      'odd\udcff\udc80',
      'new\nline',
      'blank name',
      'n'.repeat(60 + random(150)),
    ]);
    const depth = random(4);
    const path = [
      ...Array.from({ length: depth }, () => pick(['d', 'dir', 'x'.repeat(40)])),
      `${i}-${name}`,
    ].join('/');
    const type = pick([
      'file',
      'file',
      'file',
      'dir',
      'symlink',
      'hardlink',
      'char',
      'block',
      'fifo',
    ] as const);
    const content =
      type === 'file' ? Buffer.alloc(pick([0, 1, 511, 512, 513, 5000]), i + 1) : Buffer.alloc(0);
    const entry: Partial<Entry> & { path: string } = {
      path,
      type,
      mode: random(0o10000),
      uid: pick([0, 1000, 2097151, 2097152, 4294967294]),
      gid: pick([0, 1000, 2097151, 2097152, 4294967294]),
      mtime: pick([0, 1_700_000_000, 4_102_444_800, 8_589_934_591, 8_589_934_592, -1, -86_400]),
      ...((type === 'symlink' || type === 'hardlink') && {
        link: pick(['d/plain', 'l'.repeat(100), 'm'.repeat(101)]),
      }),
      ...((type === 'char' || type === 'block') && {
        device: { major: random(4096), minor: random(1 << 20) },
      }),
      ...(random(3) === 0 && {
        xattrs: { 'user.a': 'x\0\xff\n=', 'security.capability': '\x01\x00\x00\x02' },
      }),
    };
    return item(entry, content);
  });
}
