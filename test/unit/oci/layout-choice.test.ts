import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLayoutImage, writeLayout } from '../../../src/oci/layout.ts';
import { platform, smallImage } from './images.ts';

describe('one image of a layout', () => {
  const make = async (...names: readonly string[]) => {
    const folder = mkdtempSync(join(tmpdir(), 'layout-'));
    for (const name of names) await writeLayout(folder, smallImage(join(folder, 'from', name), [name], name));
    return folder;
  };

  it('is the only one, the latest, or the one of a name', async () => {
    expect((await readLayoutImage(await make('a'), {}, platform)).names).toEqual(['a']);
    const several = await make('a', 'latest', 'b');
    expect((await readLayoutImage(several, {}, platform)).names).toEqual(['latest']);
    expect((await readLayoutImage(several, { name: 'b' }, platform)).names).toEqual(['b']);
  });

  it('is the one of a digest', async () => {
    const folder = await make('a', 'b');
    const { descriptor } = smallImage(join(folder, 'again'), ['b'], 'b').manifest;
    expect((await readLayoutImage(folder, { digest: descriptor.digest }, platform)).names).toEqual(['b']);
  });

  it('is refused where it is not clear or not there', async () => {
    const folder = await make('a', 'b');
    await expect(readLayoutImage(folder, {}, platform)).rejects.toMatchObject({ hint: 'There are: a, b.' });
    await expect(readLayoutImage(folder, { name: 'c' }, platform)).rejects.toThrow('holds no image "c"');
    await expect(readLayoutImage(join(folder, 'nowhere'), {}, platform)).rejects.toThrow(
      'holds no OCI image',
    );
    writeFileSync(join(folder, 'index.json'), '{');
    await expect(readLayoutImage(folder, {}, platform)).rejects.toMatchObject({ code: 'image' });
    truncateSync(join(folder, 'index.json'), 5 * 2 ** 30);
    await expect(readLayoutImage(folder, {}, platform)).rejects.toThrow('is larger than 4 MiB');
    rmSync(join(folder, 'index.json'));
    execFileSync('mkfifo', [join(folder, 'index.json')]);
    await expect(readLayoutImage(folder, {}, platform)).rejects.toThrow('holds no OCI image');
  });
});
