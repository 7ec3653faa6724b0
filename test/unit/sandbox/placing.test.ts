import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Placing } from '../../../builder/sandbox/chroot/placing.ts';

describe('what is put into a root while a step runs', () => {
  let folder: string;
  let root: string;
  let placing: Placing;
  const write = (text: string) => (path: string) => writeFileSync(path, text);
  const inRoot = (path: string) => join(root, path);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-placing-'));
    root = join(folder, 'root');
    for (const name of ['root/etc', 'root/a/b', 'aside', 'outside'])
      mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(inRoot('etc/hosts'), 'of the image');
    writeFileSync(join(folder, 'outside/f'), 'outside');
    placing = new Placing(root, join(folder, 'aside'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('stands there, and goes for what stood there before', () => {
    placing.put('/etc/hosts', write('ours'));
    expect(readFileSync(inRoot('etc/hosts'), 'utf8')).toBe('ours');
    placing[Symbol.dispose]();
    expect(readFileSync(inRoot('etc/hosts'), 'utf8')).toBe('of the image');
    expect([...placing.touched].sort()).toEqual(['etc', 'etc/hosts']);
    expect(readdirSync(join(folder, 'aside'))).toEqual([]);
  });

  it('leaves the times of folders as they were, or as the step made them', () => {
    utimesSync(inRoot('etc'), 1000, 1000);
    utimesSync(inRoot('a/b'), 1000, 1000);
    placing.put('/etc/hosts', write('ours'));
    placing.put('/a/b/f', write('ours'));
    expect(lstatSync(inRoot('etc')).mtimeMs).toBe(1_000_000);
    utimesSync(inRoot('a/b'), 2000, 2000);
    placing[Symbol.dispose]();
    expect(lstatSync(inRoot('etc')).mtimeMs).toBe(1_000_000);
    expect(lstatSync(inRoot('a/b')).mtimeMs).toBe(2_000_000);
  });

  it('takes the folders away that it had to make, but for those that the step uses', () => {
    placing.put('/x/y/z', write('ours'));
    placing.put('/u/v/w', write('ours'));
    writeFileSync(inRoot('u/own'), 'of the step');
    placing[Symbol.dispose]();
    expect(existsSync(inRoot('x'))).toBe(false);
    expect(readdirSync(inRoot('u'))).toEqual(['own']);
  });

  it('follows no link out of the root', () => {
    symlinkSync('../../outside', inRoot('up'));
    symlinkSync(join(folder, 'outside'), inRoot('full'));
    placing.put('/up/f', write('ours'));
    placing.put('/full/f', write('ours'));
    expect(readFileSync(inRoot('outside/f'), 'utf8')).toBe('ours');
    placing[Symbol.dispose]();
    expect(readFileSync(join(folder, 'outside/f'), 'utf8')).toBe('outside');
    expect(readdirSync(root).sort()).toEqual(['a', 'etc', 'full', 'up']);
  });

  it('follows no link that the step has put in the place of a folder', () => {
    placing.put('/a/b/f', write('ours'));
    renameSync(inRoot('a/b'), inRoot('moved'));
    symlinkSync(join(folder, 'outside'), inRoot('a/b'));
    placing[Symbol.dispose]();
    expect(readFileSync(join(folder, 'outside/f'), 'utf8')).toBe('outside');
    expect(readdirSync(inRoot('moved'))).toEqual([]);
  });

  it('does without a folder that the step has removed', () => {
    placing.put('/etc/hosts', write('ours'));
    placing.put('/a/b/f', write('ours'));
    rmSync(inRoot('etc'), { recursive: true });
    placing[Symbol.dispose]();
    expect(existsSync(inRoot('etc'))).toBe(false);
    expect(existsSync(inRoot('a/b/f'))).toBe(false);
  });

  it('gives back what was moved there, with what the step did in it', () => {
    placing.move(join(folder, 'outside'), '/cache');
    writeFileSync(inRoot('cache/new'), 'kept');
    placing[Symbol.dispose]();
    expect(readdirSync(join(folder, 'outside')).sort()).toEqual(['f', 'new']);
    expect(existsSync(inRoot('cache'))).toBe(false);
  });

  it('gives nothing back that the step has put in its place', () => {
    placing.move(join(folder, 'outside'), '/cache');
    rmSync(inRoot('cache'), { recursive: true });
    symlinkSync(folder, inRoot('cache'));
    placing[Symbol.dispose]();
    expect(existsSync(join(folder, 'outside'))).toBe(false);
    expect(existsSync(join(folder, 'aside'))).toBe(true);
    expect(lstatSync(inRoot('cache'), { throwIfNoEntry: false })).toBeUndefined();
  });

  it('lies in what was put there before it', () => {
    placing.put('/a/x', write('ours'));
    placing.put('/a', (path) => mkdirSync(path));
    placing.put('/a/b/c', write('ours'));
    expect(readdirSync(inRoot('a/b'))).toEqual(['c']);
    placing[Symbol.dispose]();
    expect(readdirSync(inRoot('a'))).toEqual(['b']);
    expect(readdirSync(inRoot('a/b'))).toEqual([]);
  });

  it('fails where a file is in the way, and has done nothing', () => {
    expect(() => placing.put('/etc/hosts/x', write('ours'))).toThrow('`/etc/hosts` is no directory');
    placing[Symbol.dispose]();
    expect(readFileSync(inRoot('etc/hosts'), 'utf8')).toBe('of the image');
  });
});
