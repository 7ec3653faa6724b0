import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { type BlobSource, bytesOf } from '../../../src/registry/blob-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'blob-source-'));
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = Buffer.from('0123456789');
writeFileSync(join(folder, 'blob'), bytes);
const sources: Record<string, BlobSource> = {
  bytes,
  file: join(folder, 'blob'),
  stream: async function* () {
    for (const at of [0, 3, 4, 9]) yield bytes.subarray(at, { 0: 3, 3: 4, 4: 9, 9: 10 }[at]);
  },
};

it.each(Object.entries(sources))('gives any part of %s, as often as it is asked', async (_, source) => {
  for (const [from, to] of [
    [0, 10],
    [0, 1],
    [2, 5],
    [3, 9],
    [9, 10],
  ] as const) {
    const [chunks, told]: [Buffer[], number[]] = [[], []];
    for await (const chunk of bytesOf(source, { from, to }, (done) => told.push(done))) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe(bytes.toString().slice(from, to));
    expect(told.at(-1)).toBe(to);
  }
});
