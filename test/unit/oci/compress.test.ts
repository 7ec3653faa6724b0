import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { crc32, gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BuildError } from '../../../src/core/errors.ts';
import { compress, gzip, hasZstd } from '../../../src/oci/compress.ts';
import { crcCombiner } from '../../../src/oci/crc.ts';
import { blockBytes, compressBlock } from '../../../src/oci/gzip-block.ts';
import { inflate } from '../../../src/oci/inflate.ts';
import { seeded } from './samples.ts';

async function* pieces(bytes: Buffer, step = 100_000): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

async function joined(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of source) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

const random = seeded(1);
const noise = Buffer.from(Uint32Array.from({ length: 200_000 }, () => random(2 ** 32)).buffer);
const text = Buffer.from(
  Array.from({ length: 200_000 }, () => 'word'.slice(random(4)) + random(50)).join(' '),
);
const mixed = Buffer.concat([text, noise, text.subarray(0, 300_001), noise.subarray(0, 70_000)]);

describe('gzip', () => {
  it.each([0, 1, 100, blockBytes - 1, blockBytes, blockBytes + 1, 2 * blockBytes])(
    'gives back %i bytes',
    async (size) => {
      const input = mixed.subarray(0, size);
      const packed = await joined(gzip(pieces(input)));
      expect(gunzipSync(packed).equals(input)).toBe(true);
    },
  );

  it('takes more time for fewer bytes at a higher level', async () => {
    const of = async (level?: number) => await joined(gzip(pieces(mixed), { level }));
    const [usual, small, stored] = await Promise.all([of(), of(9), of(0)]);
    for (const packed of [usual, small, stored]) expect(gunzipSync(packed).equals(mixed)).toBe(true);
    expect(small.length).toBeLessThan(usual.length);
    expect(stored.length).toBeGreaterThan(mixed.length);
  });

  it('gives the same bytes for any number of workers and any pieces', async () => {
    const one = await joined(gzip(pieces(mixed), { workers: 1 }));
    const three = await joined(gzip(pieces(mixed, 33_333), { workers: 3 }));
    const shared = await joined(gzip(pieces(mixed, mixed.length)));
    expect(three.equals(one) && shared.equals(one)).toBe(true);
    expect(gunzipSync(one).equals(mixed)).toBe(true);
  });

  it('is read by gzip itself, stores noise and shrinks text', async () => {
    const packed = await joined(gzip(pieces(mixed)));
    expect(execFileSync('gzip', ['-dc'], { input: packed, maxBuffer: 2 ** 26 }).equals(mixed)).toBe(true);
    const stored = await joined(gzip(pieces(noise)));
    expect(stored.length).toBeLessThan(noise.length + 200);
    const small = await joined(gzip(pieces(text)));
    expect(small.length).toBeLessThan(text.length * 0.6);
  });

  it('decides by a sample whether a block is stored', () => {
    const block = Buffer.from(noise.subarray(0, blockBytes));
    expect(compressBlock({ bytes: block.subarray(0, 2 * 65_535), before: 0 }).bytes).toHaveLength(
      2 * 65_535 + 10,
    );
    // Zeros where no sample is taken: deflating would pay, but is not tried.
    block.fill(0, 10_000, 60_000);
    expect(compressBlock({ bytes: block, before: 0 }).bytes.length).toBeGreaterThan(blockBytes);
    block.fill(0, 0, 300_000);
    expect(compressBlock({ bytes: block, before: 0 }).bytes.length).toBeLessThan(blockBytes / 2);
  });

  it('stops when told to, and passes on what the source throws', async () => {
    const stop = AbortSignal.abort(new Error('stopped'));
    await expect(joined(gzip(pieces(mixed), { signal: stop }))).rejects.toThrow('stopped');
    async function* broken(): AsyncIterable<Buffer> {
      yield mixed;
      throw new Error('no more');
    }
    await expect(joined(gzip(broken(), { workers: 1 }))).rejects.toThrow('no more');
  });

  it('combines checksums', () => {
    for (const cut of [0, 1, 77, 65_536]) {
      const [a, b] = [noise.subarray(0, cut), noise.subarray(cut)];
      expect(crcCombiner(b.length)(crc32(a), crc32(b))).toBe(crc32(noise));
    }
  });
});

describe('inflate', () => {
  const plain = mixed.subarray(0, 900_000);
  const packed = gzipSync(plain);
  const zstd = readFileSync(new URL('../../../testdata/oci/lines.zst', import.meta.url));
  const lines = Buffer.from(
    Array.from({ length: 20_000 }, (_, i) => `line ${i} ${(i * 7919) % 1000}\n`).join(''),
  );

  it('reads plain bytes, gzip of several members, zeros after its end, and zstd, in any pieces', async () => {
    const members = Buffer.concat([packed, gzipSync('tail'), gzipSync('')]);
    const whole = Buffer.concat([plain, Buffer.from('tail')]);
    for (const step of [1, 3, 511, 65_536, 10_000_000]) {
      const [short, input] = step < 10 ? [gzipSync('abc'), Buffer.from('abc')] : [members, whole];
      expect((await joined(inflate(pieces(short, step)))).equals(input)).toBe(true);
    }
    const split = [packed, gzipSync('tail')];
    async function* byMember(): AsyncIterable<Buffer> {
      yield* split;
    }
    expect((await joined(inflate(byMember()))).equals(whole)).toBe(true);
    const padded = Buffer.concat([packed, Buffer.alloc(70_000)]);
    expect((await joined(inflate(pieces(padded, 5000)))).equals(plain)).toBe(true);
    expect((await joined(inflate(pieces(lines)))).equals(lines)).toBe(true);
    expect(await joined(inflate(pieces(Buffer.alloc(0))))).toHaveLength(0);
    for (const step of [1000, 7, 1 << 20])
      expect((await joined(inflate(pieces(zstd, step)))).equals(lines)).toBe(true);
    const two = await joined(inflate(pieces(Buffer.concat([zstd, zstd]))));
    expect(two.equals(Buffer.concat([lines, lines]))).toBe(true);
  });

  /** A frame that readers of zstd pass over: zstd:chunked keeps its table of contents in some. */
  const skipped = (bytes: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(0x184d2a50, 0);
    head.writeUInt32LE(bytes.length, 4);
    return Buffer.concat([head, bytes]);
  };
  /** An empty member whose extra field says where the table of contents is: the footer of eStargz, 51 bytes. */
  const footer = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 26, 0, 0x53, 0x47, 22, 0]),
    Buffer.from('0000000000000100STARGZ'),
    Buffer.from([1, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]),
  ]);

  it('reads layers that can be had in pieces as plain ones: eStargz and zstd:chunked', async () => {
    expect(footer).toHaveLength(51);
    const [head, tail] = [lines.subarray(0, 1000), lines.subarray(1000)];
    const stargz = Buffer.concat([gzipSync(head), gzipSync(tail), footer]);
    const chunked = Buffer.concat([zstd, skipped(Buffer.from('{}')), zstd, skipped(Buffer.alloc(64))]);
    for (const step of [7, 100_000]) {
      expect((await joined(inflate(pieces(stargz, step)))).equals(lines)).toBe(true);
      expect((await joined(inflate(pieces(chunked, step)))).equals(Buffer.concat([lines, lines]))).toBe(true);
    }
  });

  it('refuses what is damaged or cut short', async () => {
    const badCrc = Buffer.from(packed);
    badCrc[packed.length - 6]! ^= 1;
    const bad = [
      badCrc,
      packed.subarray(0, packed.length - 1),
      packed.subarray(0, packed.length - 8),
      packed.subarray(0, packed.length / 2),
      packed.subarray(0, 5),
      Buffer.concat([packed, packed.subarray(0, 300)]),
      Buffer.concat([packed, Buffer.from('garbage')]),
      zstd.subarray(0, zstd.length / 2),
      zstd.subarray(0, zstd.length - 5),
      zstd.subarray(0, 5),
    ];
    for (const [i, one] of bad.entries()) {
      const failure = await joined(inflate(pieces(one))).catch((error: unknown) => error);
      expect(failure, `case ${i}`).toBeInstanceOf(BuildError);
    }
  });

  it('meets any damage with a BuildError', async () => {
    let failed = 0;
    for (let round = 0; round < 300; round++) {
      const bad = Buffer.from(round % 2 === 0 ? packed.subarray(0, 20_000) : zstd);
      for (let n = 0; n < 3; n++) bad[4 + random(bad.length - 4)] = random(256);
      const result = await joined(inflate(pieces(bad))).catch((error: unknown) => error);
      if (result instanceof Error) failed++;
      if (result instanceof Error && !(result instanceof BuildError)) throw result;
    }
    expect(failed).toBeGreaterThan(100);
  });

  it('passes on what the source throws', async () => {
    async function* broken(): AsyncIterable<Buffer> {
      yield packed.subarray(0, 1000);
      throw new BuildError('registry', 'gone');
    }
    await expect(joined(inflate(broken()))).rejects.toMatchObject({ code: 'registry' });
  });

  it('takes zstd back where Node can make it, and says so where not', async () => {
    if (hasZstd()) expect((await joined(inflate(compress(pieces(text), 'zstd')))).equals(text)).toBe(true);
    else expect(() => compress(pieces(text), 'zstd')).toThrow(/cannot make zstd/);
  });
});
