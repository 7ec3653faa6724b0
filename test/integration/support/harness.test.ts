import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { busyboxBase, triggeringBase } from '../../support/base-images.ts';
import { readLayout } from '../../support/oci-layout.ts';
import { must, run } from '../../support/programs.ts';
import { once, temporaryFolder } from '../../support/shared.ts';
import { has, isRoot, skip } from '../../support/skips.ts';
import { compareTrees, listTree, unpack } from '../../support/trees.ts';

describe('listing and comparing trees', () => {
  it('finds every kind of difference', async () => {
    await using folder = temporaryFolder();
    for (const side of ['a', 'b']) {
      const root = join(folder.path, side);
      mkdirSync(join(root, 'd'), { recursive: true });
      writeFileSync(join(root, 'same'), 'same');
      writeFileSync(join(root, 'content'), side);
      writeFileSync(join(root, 'mode'), '');
      writeFileSync(join(root, 'd/one'), '');
      symlinkSync(side, join(root, 'link'));
    }
    const [a, b] = [join(folder.path, 'a'), join(folder.path, 'b')];
    chmodSync(join(b, 'mode'), 0o4700);
    linkSync(join(b, 'd/one'), join(b, 'd/two'));
    rmSync(join(a, 'same'));
    mkdirSync(join(a, 'same'));
    const found = compareTrees(await listTree(a), await listTree(b));
    expect(found.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      '/content: content',
      '/d/one: sameAs',
      '/d/two: only',
      '/link: content',
      '/mode: mode',
      '/same: type',
      '/same: mode',
      '/same: content',
    ]);
  });

  it.skipIf(!isRoot)('sees owners and extended attributes', async () => {
    await using folder = temporaryFolder();
    for (const side of ['a', 'b']) {
      mkdirSync(join(folder.path, side));
      writeFileSync(join(folder.path, side, 'f'), '');
    }
    await must(['chown', '12:34', join(folder.path, 'b/f')]);
    await must(['setfattr', '-n', 'user.colour', '-v', 'blue', join(folder.path, 'b/f')]);
    const found = compareTrees(
      await listTree(join(folder.path, 'a')),
      await listTree(join(folder.path, 'b')),
    );
    expect(found).toEqual([
      '/f: uid 0 and 12',
      '/f: gid 0 and 34',
      '/f: xattrs undefined and {"user.colour":"0x626c7565"}',
    ]);
  });
});

describe.skipIf(skip('base images', { programs: ['skopeo', 'umoci', 'busybox'] }))('base images', () => {
  it('are what they are meant to be, to umoci', async () => {
    await using folder = temporaryFolder();
    const base = await busyboxBase();
    const tree = await listTree(await unpack(base.layout, join(folder.path, 'bundle')));
    expect(tree.get('opt/setuid')).toMatchObject({ type: 'file', mode: '4755' });
    expect(tree.get('opt/pair-2')).toMatchObject({ sameAs: 'opt/pair-1' });
    expect(tree.get('opt/absolute')).toMatchObject({ type: 'symlink', content: '/opt/old' });
    expect(tree.has('opt/gone')).toBe(false);
    if (isRoot) expect(tree.get('opt/old/deep/c')).toMatchObject({ uid: 33, gid: 33 });
  });

  it('carry their configuration', async () => {
    const base = await triggeringBase();
    expect(readLayout(base.layout).config.config).toMatchObject({ User: 'app', Labels: { origin: 'base' } });
    const names = await must(['tar', '-xOf', base.archive, 'manifest.json']);
    expect(JSON.parse(names)).toMatchObject([{ RepoTags: [base.name] }]);
  });
});

describe('made once', () => {
  it('runs the maker a single time for many who ask', async () => {
    let made = 0;
    const name = `once-${process.pid}`;
    const make = () => {
      made += 1;
    };
    const folders = await Promise.all([1, 2, 3].map(() => once(name, make)));
    expect([made, new Set(folders).size]).toEqual([1, 1]);
  });

  it('tries again after a failure', async () => {
    const name = `once-fails-${process.pid}`;
    const fails = once(name, () => {
      throw new Error('no');
    });
    await expect(fails).rejects.toThrow('no');
    await expect(once(name, () => {})).resolves.toContain(name);
  });
});

describe('running programs', () => {
  it('tells exit codes and signals apart, and kills what takes too long', async () => {
    expect(await run(['sh', '-c', 'echo out; echo err >&2; exit 3'])).toMatchObject({
      code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(await run(['sleep', '60'], { limitMs: 50 })).toMatchObject({ code: null, signal: 'SIGKILL' });
    await expect(must(['false'])).rejects.toThrow('false: exit 1');
  });

  it('knows what is installed', () => {
    expect([has('sh'), has('surely-no-such-program')]).toEqual([true, false]);
  });
});
