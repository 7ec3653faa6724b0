import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stackOf } from '../../../builder/steps/stack.ts';
import type { Entry } from '../../../src/core/types.ts';
import { skip } from '../../support/skips.ts';
import { bench, tarOf } from '../cache/open.ts';

const dir = (path: string, mode: number): Entry => ({
  path,
  type: 'dir',
  mode,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 1,
});
const link = (path: string): Entry => ({
  path,
  type: 'symlink',
  mode: 0o777,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 1,
  link: 'x',
});
const signal = new AbortController().signal;

describe.skipIf(skip('a stack of trees: its files belong to others', { root: true }))(
  'a stack of trees',
  () => {
    it('lists the topmost first, and a layer that comes twice once', async () => {
      await using b = await bench();
      const [one, two] = [b.offer(tarOf([dir('a', 0o755)])), b.offer(tarOf([dir('b', 0o755)]))];
      const stack = await stackOf([one, two, one], { store: b.store, signal });
      expect(stack).toEqual([await b.store.layers.tree(one), await b.store.layers.tree(two)]);
    });

    it('keeps the attributes of directories that a layer only implies', async () => {
      await using b = await bench();
      const base = b.offer(
        tarOf([dir('opt', 0o755), dir('tmp', 0o1777), dir('tmp/deep', 0o700), dir('usr', 0o755)]),
      );
      const upper = b.offer(tarOf([link('tmp/deep/l'), link('usr/l')]));
      const stack = await stackOf([base, upper], { store: b.store, signal });
      expect(stack).toHaveLength(3);
      expect(stack.slice(1)).toEqual([await b.store.layers.tree(upper), await b.store.layers.tree(base)]);
      expect(lstatSync(join(stack[0]!, 'tmp')).mode & 0o7777).toBe(0o1777);
      expect(lstatSync(join(stack[0]!, 'tmp/deep')).mode & 0o7777).toBe(0o700);
      expect(await stackOf([base, upper], { store: b.store, signal })).toEqual(stack);
    });

    it('needs nothing on top where the implied directories are plain', async () => {
      await using b = await bench();
      const base = b.offer(tarOf([dir('usr', 0o755)]));
      const stack = await stackOf([base, b.offer(tarOf([link('usr/l')]))], { store: b.store, signal });
      expect(stack).toHaveLength(2);
    });
  },
);
