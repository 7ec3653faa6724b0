import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { MOST_TEXT_BYTES, readText, readTextStream } from '../../../src/core/text-file.ts';

describe('texts that people write', () => {
  const folder = mkdtempSync(join(tmpdir(), 'text-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const longest = Buffer.alloc(MOST_TEXT_BYTES, 'ä');
  const tooLong = { code: 'context', message: 'the file is longer than 16 MB' };

  it('are read whole up to the limit', async () => {
    const file = join(folder, 'longest');
    writeFileSync(file, longest);
    expect(readText(file, 'the file') === longest.toString('utf8')).toBe(true);
    expect((await readTextStream(Readable.from([longest]), 'the file')).length).toBe(MOST_TEXT_BYTES / 2);
    expect(() => readText(join(folder, 'none'), 'the file')).toThrow('ENOENT');
  });

  it('have an end, which a device and a stream need not have', async () => {
    expect(() => readText('/dev/zero', 'the file')).toThrow(expect.objectContaining(tooLong));
    const endless = Readable.from(
      (function* () {
        for (;;) yield longest;
      })(),
    );
    await expect(readTextStream(endless, 'the file')).rejects.toMatchObject(tooLong);
  });
});
