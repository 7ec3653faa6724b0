import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { BuildError } from '../../../src/core/errors.ts';
import type { Listing } from '../../../src/core/types.ts';
import { decodeListing, encodeListing, ListingBuilder } from '../../../src/oci/listing.ts';
import { TarReader } from '../../../src/oci/tar-read.ts';
import { type Item, item, randomItems, tarOf } from './samples.ts';

function listingOf(items: readonly Item[], step = 1000): Listing {
  const builder = new ListingBuilder();
  const reader = new TarReader(builder);
  const tar = tarOf(items);
  for (let at = 0; at < tar.length; at += step) reader.write(tar.subarray(at, at + step));
  reader.finish();
  return builder.finish();
}

function short(listing: Listing): string[] {
  return listing.map((entry) => `${entry.type} ${entry.path}`);
}

describe('listings', () => {
  it('hold every entry, sorted, with the digest of its content', () => {
    const items = randomItems(3, 150);
    const listing = listingOf(items);
    const expected = items
      .map(({ entry, content }) => (entry.type === 'file' ? { ...entry, digest: digestOf(content) } : entry))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
    expect(listing).toEqual(expected);
  });

  it('let the last of several entries count', () => {
    const items = [
      item({ path: 'a' }, 'one'),
      item({ path: 'd', type: 'dir' }),
      item({ path: 'd/x', type: 'dir' }),
      item({ path: 'd/x/y' }),
      item({ path: 'd.z' }),
      item({ path: 'a' }, 'two'),
      item({ path: 'd' }, 'now a file'),
    ];
    expect(short(listingOf(items))).toEqual(['file a', 'file d', 'file d.z']);
    expect(listingOf(items)[0]!.digest).toBe(digestOf('two'));
  });

  it('put opaque marks after their directory and resolve whiteouts beside entries', () => {
    const items = [
      item({ path: 'gone', type: 'whiteout' }),
      item({ path: 'dir', type: 'whiteout' }),
      item({ path: 'dir', type: 'dir' }),
      item({ path: 'dir/sub' }),
      item({ path: 'file' }),
      item({ path: 'file', type: 'whiteout' }),
      item({ path: '', type: 'opaque' }),
      item({ path: '', type: 'dir' }),
    ];
    expect(short(listingOf(items))).toEqual([
      'dir ',
      'opaque ',
      'dir dir',
      'opaque dir',
      'file dir/sub',
      'file file',
      'whiteout gone',
    ]);
  });

  it('are kept in bytes and read back', () => {
    for (const listing of [
      listingOf(randomItems(8, 300)),
      [],
      listingOf([item({ path: '', type: 'dir' })]),
    ]) {
      expect(decodeListing(encodeListing(listing))).toEqual(listing);
    }
  });

  it('refuse bytes that they do not know', () => {
    const bytes = encodeListing(listingOf(randomItems(8, 20)));
    const columns = JSON.parse(bytes.toString()) as Record<string, unknown>;
    const change = (fields: object): Buffer => Buffer.from(JSON.stringify({ ...columns, ...fields }));
    const bad = [
      bytes.subarray(0, bytes.length - 9),
      Buffer.from('null'),
      change({ version: 2 }),
      change({ count: 19 }),
      change({ modes: [] }),
      change({ types: '9'.repeat(20) }),
      change({ digests: 'ab' }),
    ];
    for (const one of bad) expect(() => decodeListing(one)).toThrow(BuildError);
  });
});
