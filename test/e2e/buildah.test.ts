import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseBases } from '../support/base-images.ts';
import { type Buildah, budLayout, closeBuildah, newBuildah, pullBases } from '../support/buildah.ts';
import { buildArguments, buildCases, layOut, succeeds } from '../support/cases.ts';
import { temporaryFolder } from '../support/shared.ts';
import { skip } from '../support/skips.ts';
import { compareTrees, listTree, unpack } from '../support/trees.ts';
import { buildLayout, loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

interface Difference {
  readonly reason: string;
  /** Regular expressions over the lines of `compareTrees(ours, theirs)`. */
  readonly lines: readonly string[];
}

const differences = JSON.parse(readFileSync('testdata/build/buildah-differences.json', 'utf8')) as Record<
  string,
  Difference
>;
/** Where a case is about files: a second build is about our cache, of which buildah knows nothing. */
const compared = buildCases()
  .filter((one) => succeeds(one) && one.buildah === undefined)
  .filter((one) => one.expect.files !== undefined && one.second === undefined);
/** What buildah's sandbox leaves in every image where something ran; ours leaves nothing. */
const residue =
  /^\/(dev|etc|proc|run|sys)(\/(hosts|hostname|resolv\.conf|\.containerenv|secrets|console|null|pts|shm|mqueue))?: /;

const needs = { root: true, programs: ['buildah', 'runc', 'skopeo', 'umoci', 'busybox', 'crun', 'getfattr'] };

describe.skipIf(skip('comparison with buildah', needs))('the same tree as buildah builds', () => {
  const folder = temporaryFolder('buildah');
  let buildah: Buildah;
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    const bases = await caseBases();
    buildah = newBuildah(folder.path);
    tsbuild = await newTsbuild('root');
    await pullBases(buildah, bases);
    await loadBases(tsbuild, bases);
  });
  afterAll(async () => {
    await closeBuildah(buildah);
    await tsbuild?.[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it('is asked of at least eighty Containerfiles', () => {
    expect(compared.length).toBeGreaterThanOrEqual(80);
  });

  it('lists differences only of cases that are compared', () => {
    const names = compared.map((one) => one.name);
    expect(Object.keys(differences).filter((name) => !names.includes(name))).toEqual([]);
  });

  it.concurrent.each(compared)('$name', async (one) => {
    const { name } = one;
    const cwd = join(folder.path, name);
    await layOut(one, cwd);
    const env = { ...process.env, ...one.env };
    const theirs = await unpack(
      await budLayout(buildah, buildArguments(one), { cwd, name, env }),
      `${cwd}.theirs`,
    );
    const ours = await unpack(
      await buildLayout(tsbuild, buildArguments(one), { cwd, name, env: one.env ?? {} }),
      `${cwd}.ours`,
    );
    const found = compareTrees(await listTree(ours), await listTree(theirs)).filter(
      (line) => !residue.test(line),
    );
    const known = (differences[name]?.lines ?? []).map((pattern) => new RegExp(pattern));
    expect(found.filter((line) => !known.some((pattern) => pattern.test(line)))).toEqual([]);
    // A listed difference that is gone is stale, and goes from the list.
    expect(known.filter((pattern) => !found.some((line) => pattern.test(line)))).toEqual([]);
  });
});
