import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { BuildError } from '../../../src/core/errors.ts';
import type { Entry } from '../../../src/core/types.ts';
import { clampTar } from '../../../src/oci/tar-clamp.ts';
import { checksumOf } from '../../../src/oci/tar-header.ts';
import { paxRecord } from '../../../src/oci/tar-pax.ts';
import { headerOf, paddingOf, trailer } from '../../../src/oci/tar-write.ts';
import { type Item, item, randomItems, read, seeded, tarOf } from './samples.ts';

/** A header as another program might write it: fields are put in place and the checksum made anew. */
function raw(changes: Record<number, string | Buffer>, type = '0', size = 0): Buffer {
  const block = headerOf(item({ path: 'name', size }).entry);
  block.write(type, 156, 'latin1');
  for (const [offset, value] of Object.entries(changes)) {
    Buffer.from(value as string).copy(block, Number(offset));
  }
  block.write(`${checksumOf(block, 0).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function withBody(header: Buffer, body: Buffer): Buffer {
  return Buffer.concat([header, body, paddingOf(body.length)]);
}

function pax(records: Record<string, string | Buffer>, type = 'x'): Buffer {
  const body = Buffer.concat(
    Object.entries(records).map(([key, value]) => paxRecord(key, Buffer.from(value as string, 'latin1'))),
  );
  return withBody(raw({}, type, body.length), body);
}

function single(...parts: Buffer[]): Item {
  const items = read(Buffer.concat([...parts, trailer]));
  expect(items).toHaveLength(1);
  return items[0]!;
}

function failure(...parts: Buffer[]): BuildError {
  try {
    read(Buffer.concat(parts));
  } catch (error) {
    expect(error).toBeInstanceOf(BuildError);
    return error as BuildError;
  }
  throw new Error('it was read without complaint');
}

async function* pieces(bytes: Buffer, step: number): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

async function joined(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of source) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

describe('the tar writer and reader', () => {
  it('give back what was written, whatever the pieces', () => {
    for (const seed of [1, 2, 3]) {
      const items = randomItems(seed, 120);
      const tar = tarOf(items);
      for (const step of [tar.length, 4096, 700, 512, 61]) expect(read(tar, step)).toEqual(items);
      expect(tarOf(read(tar))).toEqual(tar);
    }
  });

  it('agree with tar-stream on what it can express', async () => {
    const items = randomItems(7, 200);
    const seen: [string, string, number, number][] = [];
    const reader = extract();
    reader.on('entry', (header, stream, next) => {
      seen.push([header.name, header.type ?? '', header.mode ?? 0, header.size ?? 0]);
      stream.on('end', next).resume();
    });
    await new Promise<void>((resolve, reject) => {
      reader.on('finish', () => resolve());
      reader.on('error', reject);
      Readable.from([tarOf(items)]).pipe(reader);
    });
    const names: Record<string, string> = {
      dir: 'directory',
      hardlink: 'link',
      char: 'character-device',
      block: 'block-device',
    };
    const text = (name: string): string => Buffer.from(name.replace(/[\udc80-\udcff]/g, '�')).toString();
    expect(seen.map((one) => [text(one[0]), ...one.slice(1)])).toEqual(
      items.map(({ entry }) => [
        text(entry.type === 'dir' ? `${entry.path}/` : entry.path),
        entry.type === 'fifo' ? 'fifo' : (names[entry.type] ?? entry.type),
        entry.mode,
        entry.size,
      ]),
    );
  });

  it('keeps its bytes from version to version', () => {
    const digest = createHash('sha256')
      .update(tarOf(randomItems(11, 50)))
      .digest('hex');
    expect(digest).toBe('748fefc40099cdbb9a292958f2c629ca650b0e1572b24aecfeaf8b60d538d09e');
  });
});

describe('whiteouts', () => {
  it('are entries of their own types both ways', () => {
    const items = [
      item({ path: 'a/gone', type: 'whiteout', mode: 0, mtime: 0 }),
      item({ path: 'a', type: 'opaque', mode: 0, mtime: 0 }),
      item({ path: '', type: 'opaque', mode: 0, mtime: 0 }),
      item({ path: `${'d'.repeat(120)}/x`, type: 'whiteout', mode: 0, mtime: 0 }),
    ];
    expect(read(tarOf(items))).toEqual(items);
    expect(tarOf(items).includes('a/.wh.gone')).toBe(true);
  });

  it('skip the bookkeeping of aufs and refuse what names nothing', () => {
    const names = (name: string): Buffer => raw({ 0: `${name}\0` });
    expect(read(Buffer.concat([names('.wh..wh.plnk'), names('.wh..wh.plnk/1.2'), trailer]))).toEqual([]);
    expect(failure(names('a/.wh.')).message).toContain('names nothing');
    expect(failure(names('.wh.a/b')).message).toContain('inside a whiteout');
    expect(failure(names('.wh...')).message).toContain('names nothing');
  });

  it('cannot be made by a file of that name', () => {
    expect(() => headerOf(item({ path: 'a/.wh.b' }).entry)).toThrow(/mark deleted files/);
    expect(() => headerOf(item({ path: '.wh.d', type: 'dir' }).entry)).toThrow(BuildError);
    expect(() => headerOf(item({ path: 'a\0b' }).entry)).toThrow(BuildError);
  });
});

describe('the tar reader', () => {
  it('takes paths relative to the root and refuses those that leave it', () => {
    const path = (name: string, type = '0'): Entry => single(raw({ 0: `${name}\0` }, type)).entry;
    expect(path('./a//b/./c').path).toBe('a/b/c');
    expect(path('/etc/passwd').path).toBe('etc/passwd');
    expect(path('./', '5')).toMatchObject({ path: '', type: 'dir' });
    expect(path('d/').type).toBe('dir');
    expect(failure(raw({ 0: 'a/../../b\0' })).message).toContain('"a/../../b"');
    expect(failure(raw({ 157: '../x' }, '1')).code).toBe('layer');
    expect(failure(raw({ 0: '.\0' })).message).toContain('without a name');
  });

  it('reads numbers of every form', () => {
    const big = Buffer.from([0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe]);
    const minusTwo = Buffer.alloc(12, 0xff);
    minusTwo[11] = 0xfe;
    const entry = single(raw({ 108: big, 136: minusTwo, 100: '   755 \0' })).entry;
    expect(entry).toMatchObject({ uid: 4294967294, mtime: -2, mode: 0o755 });
    expect(failure(raw({ 108: '12x4567\0' })).message).toContain('malformed number');
    expect(failure(raw({ 108: Buffer.alloc(8, 0x7f | 0x80).fill(0x7f, 1) })).code).toBe('layer');
  });

  it('reads PAX records, global ones too', () => {
    const both = [
      pax({ uid: '5', mtime: '1.5', comment: 'x' }, 'g'),
      pax({ gid: '7', mtime: '-1.25', path: 'p' }),
    ];
    expect(single(...both, raw({})).entry).toMatchObject({
      uid: 5,
      gid: 7,
      path: 'p',
      mtime: -2,
      mtimeNs: 750_000_000,
    });
    expect(single(pax({ mtime: '12.000000001' }), raw({})).entry).toMatchObject({ mtime: 12, mtimeNs: 1 });
    const libarchive = pax({ 'LIBARCHIVE.xattr.user.a%3Db': Buffer.from('/wA').toString('latin1') });
    expect(single(libarchive, raw({})).entry.xattrs).toEqual({ 'user.a=b': '\xff\0' });
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`comment${i}`, 'x']));
    expect(failure(pax(many, 'g')).message).toContain('too many');
    expect(failure(pax({ path: 'a\0b' }), raw({})).message).toContain('extended header');
    expect(failure(withBody(raw({}, 'x', 9), Buffer.from('99 a=bcd\n'))).code).toBe('layer');
    expect(failure(withBody(raw({}, 'x', 9), Buffer.from('9 a=bcdxx'))).code).toBe('layer');
  });

  it('reads names of GNU and v7, and the prefix of ustar', () => {
    const long = Buffer.from(`${'l'.repeat(300)}\0`);
    expect(single(withBody(raw({}, 'L', 301), long), raw({})).entry.path).toBe('l'.repeat(300));
    expect(single(withBody(raw({}, 'K', 301), long), raw({}, '2')).entry.link).toBe('l'.repeat(300));
    expect(single(raw({ 345: 'some/prefix' })).entry.path).toBe('some/prefix/name');
    expect(single(raw({ 257: '\0\0\0\0\0\0\0\0', 345: 'rest' }, '\0')).entry).toMatchObject({
      path: 'name',
      type: 'file',
    });
    expect(single(raw({ 257: 'ustar  \0', 345: '14017236542' })).entry.path).toBe('name');
  });

  it('keeps the end of an archive apart from damage', () => {
    const tar = tarOf([item({ path: 'a' }, 'content'), item({ path: 'b' }, 'x'.repeat(600))]);
    expect(read(tar.subarray(0, tar.length - 1024))).toHaveLength(2);
    expect(read(Buffer.concat([tar, Buffer.from('rest of a record')]))).toHaveLength(2);
    for (const cut of [100, 515, 1030, 1536 + 700]) {
      expect(failure(tar.subarray(0, cut)).message).toContain('middle of an entry');
    }
    const bad = Buffer.from(tar);
    bad[3]! ^= 1;
    expect(failure(bad).message).toContain('checksum');
    expect(failure(raw({}, 'Z')).message).toContain('unknown type');
    expect(failure(Buffer.from('this is no tar at all, but text '.repeat(20))).code).toBe('layer');
  });

  it('expands sparse files and refuses maps that do not fit', () => {
    const body = Buffer.from('AAAABB');
    const sparse = (map: string, size: string): Buffer[] => [
      pax({ 'GNU.sparse.map': map, 'GNU.sparse.size': size, 'GNU.sparse.name': 's' }),
      withBody(raw({}, '0', 6), body),
    ];
    const { entry, content } = single(...sparse('2,4,8,2', '12'));
    expect(entry).toMatchObject({ path: 's', size: 12 });
    expect(content.toString('latin1')).toBe('\0\0AAAA\0\0BB\0\0');
    for (const [map, size] of [
      ['2,4,5,2', '12'],
      ['0,4', '9'],
      ['0,9', '9'],
      ['0,4,8,2', '9'],
      ['0,4,8', '12'],
    ] as const) {
      expect(failure(...sparse(map, size), trailer).message).toContain('sparse');
    }
    expect(failure(...sparse('0,6', String(2 ** 50)), trailer).message).toContain('64 GiB');
    const text = Buffer.from('2\n2\n4\n8\n2\n');
    const v1 = Buffer.concat([text, Buffer.alloc(512 - text.length), body]);
    const records = {
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.name': 's',
      'GNU.sparse.realsize': '12',
    };
    const parts = [pax(records), withBody(raw({}, '0', v1.length), v1), trailer];
    expect(read(Buffer.concat(parts), 7)[0]!.content).toEqual(content);
  });

  it('meets any damage with a BuildError', () => {
    const random = seeded(42);
    const tar = Buffer.concat([
      pax({ 'GNU.sparse.map': '2,4,8,2', 'GNU.sparse.size': '12' }),
      withBody(raw({}, '0', 6), Buffer.from('AAAABB')),
      tarOf(randomItems(5, 12)),
    ]);
    let failed = 0;
    for (let round = 0; round < 3000; round++) {
      const bad = Buffer.from(tar.subarray(0, random(8) === 0 ? 600 + random(tar.length - 600) : tar.length));
      for (let n = 0; n <= random(4); n++) bad[random(bad.length)] = random(256);
      const block = random(Math.floor(bad.length / 512)) * 512;
      if (random(2) === 0)
        bad.write(`${checksumOf(bad, block).toString(8).padStart(6, '0')}\0 `, block + 148, 'latin1');
      try {
        read(bad, 1 + random(2000));
      } catch (error) {
        failed++;
        if (!(error instanceof BuildError)) throw error;
      }
    }
    expect(failed).toBeGreaterThan(500);
  });
});

describe('clamping', () => {
  it('sets later times back and changes nothing else', async () => {
    const items = randomItems(9, 60);
    const epoch = 1_700_000_000;
    const clamped = items.map(({ entry, content }) => ({
      entry: { ...entry, mtime: Math.min(entry.mtime, epoch) },
      content,
    }));
    for (const step of [100, 1500, 1 << 20]) {
      expect(await joined(clampTar(pieces(tarOf(items), step), epoch))).toEqual(tarOf(clamped));
    }
    expect(clamped.filter(({ entry }, i) => entry.mtime !== items[i]!.entry.mtime).length).toBeGreaterThan(5);
  });
});
