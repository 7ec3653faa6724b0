import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeLocal } from '../../../src/build/local-output.ts';
import type { Layers } from '../../../src/core/store.ts';
import type { Entry, Image } from '../../../src/core/types.ts';

it('writes and removes nothing through a link of the image', async () => {
  const [tree, out, victim] = [1, 2, 3].map(() => mkdtempSync(join(tmpdir(), 'local-'))) as [
    string,
    string,
    string,
  ];
  writeFileSync(join(victim, 'a'), 'mine');
  mkdirSync(join(tree, 'l'));
  writeFileSync(join(tree, 'l/a'), 'theirs');
  const common = { mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0 };
  const listing: Entry[] = [
    { ...common, path: 'l', type: 'symlink', link: victim },
    { ...common, path: 'l/a', type: 'file', size: 6 },
  ];
  const layers = { listing: async () => listing, tree: async () => tree } as unknown as Layers;
  const image = { layers: [{ diffId: 'sha256:0' }] } as unknown as Image;
  await writeLocal(image, out, { layers, signal: new AbortController().signal });
  expect(readdirSync(victim)).toEqual(['a']);
  expect(readFileSync(join(victim, 'a'), 'utf8')).toBe('mine');
  expect(readFileSync(join(out, 'l/a'), 'utf8')).toBe('theirs');
});

it('writes through no link that stands in the folder', async () => {
  const [tree, out, victim] = [1, 2, 3].map(() => mkdtempSync(join(tmpdir(), 'local-'))) as [
    string,
    string,
    string,
  ];
  writeFileSync(join(victim, 'a'), 'mine');
  mkdirSync(join(tree, 'l/deep'), { recursive: true });
  for (const name of ['l/a', 'l/deep/b', 'f']) writeFileSync(join(tree, name), 'theirs');
  symlinkSync(victim, join(out, 'l'));
  symlinkSync(join(victim, 'a'), join(out, 'f'));
  const common = { mode: 0o4755, uid: 0, gid: 0, size: 6, mtime: 0 };
  const listing: Entry[] = [
    { ...common, path: 'f', type: 'file' },
    { ...common, path: 'g', type: 'hardlink', link: 'f' },
    { ...common, path: 'l', type: 'dir' },
    { ...common, path: 'l/a', type: 'file' },
    { ...common, path: 'l/deep/b', type: 'file' },
  ];
  const layers = { listing: async () => listing, tree: async () => tree } as unknown as Layers;
  const image = { layers: [{ diffId: 'sha256:0' }] } as unknown as Image;
  await writeLocal(image, out, { layers, signal: new AbortController().signal });
  expect(readdirSync(victim)).toEqual(['a']);
  expect(readFileSync(join(victim, 'a'), 'utf8')).toBe('mine');
  expect(lstatSync(join(out, 'l')).isDirectory()).toBe(true);
  expect(['f', 'g', 'l/a', 'l/deep/b'].map((name) => lstatSync(join(out, name)).mode & 0o7777)).toEqual([
    0o755, 0o755, 0o755, 0o755,
  ]);
});
