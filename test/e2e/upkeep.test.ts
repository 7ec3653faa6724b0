import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const megabyte = 1024 * 1024;
const base = 'localhost/tsbuild-test/busybox:1';
const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];
const needs = { programs: ['skopeo', 'busybox', 'crun'] };

describe.skipIf(skip('du, rmi and prune', needs)).each(people)('du, rmi and prune as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeEach(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, [await busyboxBase()]);
    mkdirSync(join(tsbuild.folder, 'context'));
    writeFileSync(
      join(tsbuild.folder, 'context/Containerfile'),
      `FROM ${base}\nRUN dd if=/dev/urandom of=/eight bs=1M count=8\nRUN cp /eight /another\n`,
    );
    await tsbuild.give(tsbuild.folder);
  });
  afterEach(() => tsbuild?.[Symbol.asyncDispose]());

  it('frees what an image was the last to need, and builds it again', async () => {
    const empty = await size();
    expect(await build('-t', 'app')).toEqual({ cached: 1, done: 2 });
    const full = await size();
    expect(full - empty).toBeGreaterThan(16 * megabyte);
    expect(await build('-t', 'app')).toEqual({ cached: 3, done: 0 });
    await tsbuild.must(['prune', '--all']);
    expect(await tsbuild.must(['run', 'app', 'sh', '-c', 'cmp /eight /another && wc -c </eight'])).toBe(
      `${8 * megabyte}\n`,
    );
    await tsbuild.must(['rmi', 'app']);
    expect(await size()).toBeGreaterThan(empty + 16 * megabyte);
    expect(await tsbuild.must(['prune', '--all'])).toMatch(/^removed \d+ things, [\d.]+MB\n$/);
    expect(await size()).toBeLessThan(empty + megabyte);
    expect(await build('-t', 'app')).toEqual({ cached: 1, done: 2 });
    expect(await build('-t', 'app')).toEqual({ cached: 3, done: 0 });
  });

  it('without --all spares what the cache knows; with everything leaves nothing', async () => {
    await build('-t', 'app');
    await tsbuild.must(['rmi', 'app']);
    await tsbuild.must(['prune']);
    expect(await build()).toEqual({ cached: 3, done: 0 });
    await tsbuild.must(['prune', '--everything']);
    expect(await size()).toBe(0);
    expect(await tsbuild.must(['images', '-q'])).toBe('');
  });

  it('spares what was used lately, and stops at a size', async () => {
    await build('-t', 'app');
    await tsbuild.must(['rmi', 'app']);
    expect(await tsbuild.must(['prune', '--all', '--filter', 'until=1h'])).toMatch(/^removed 0 /);
    await tsbuild.must(['prune', '--all', '--keep-storage', '14m']);
    expect(await size()).toBeLessThan(14 * megabyte);
    expect(await size()).toBeGreaterThan(4 * megabyte);
  });

  it('keeps the store within its bound after a build, but never takes what the build used', async () => {
    const bound = { env: { TSBUILD_KEEP_STORAGE: '12m' } };
    await tsbuild.must(['build', '-t', 'app', 'context'], bound);
    expect(await tsbuild.must(['run', 'app', 'cmp', '/eight', '/another'])).toBe('');
    await tsbuild.must(['build', '--no-cache', '-t', 'app', 'context'], bound);
    const two = await size();
    await tsbuild.must(['build', '--no-cache', '-t', 'app', 'context'], bound);
    expect(await size()).toBeLessThan(two + megabyte);
    expect((await tsbuild.run(['build', 'context'], { env: { TSBUILD_KEEP_STORAGE: 'much' } })).code).toBe(2);
  });

  it('goes on where the store is moved to', async () => {
    await build('-t', 'app');
    const moved = `${tsbuild.store}-moved`;
    renameSync(tsbuild.store, moved);
    expect(await build('--root', moved, '-t', 'app')).toEqual({ cached: 3, done: 0 });
    expect(await tsbuild.must(['run', '--root', moved, 'app', 'cmp', '/eight', '/another'])).toBe('');
    expect(existsSync(tsbuild.store)).toBe(false);
  });

  async function size(): Promise<number> {
    const kinds = JSON.parse(await tsbuild.must(['du', '--format', 'json'])) as {
      kind: string;
      bytes: number;
    }[];
    return kinds.filter(({ kind }) => kind !== 'other').reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async function build(...flags: readonly string[]): Promise<{ cached: number; done: number }> {
    const outcome = await tsbuild.run(['build', '--progress', 'plain', ...flags, 'context']);
    expect(outcome.code, outcome.stderr).toBe(0);
    const count = (word: string) => outcome.stderr.match(new RegExp(`^#\\d+ ${word}`, 'gm'))?.length ?? 0;
    return { cached: count('CACHED'), done: count('DONE') };
  }
});
