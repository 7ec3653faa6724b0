import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase, triggeringBase } from '../support/base-images.ts';
import { buildArguments, buildCases, layOut, succeeds } from '../support/cases.ts';
import { readLayout } from '../support/oci-layout.ts';
import { must } from '../support/programs.ts';
import { skip } from '../support/skips.ts';
import { compareTrees, listTree, unpack } from '../support/trees.ts';
import { buildLayout, loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

/** A program from elsewhere, so that it runs in images that hold none. */
const runTrue =
  'USER 0\nRUN --mount=type=bind,from=localhost/tsbuild-test/busybox:1,source=/bin/busybox,target=/dev/busybox ["/dev/busybox", "true"]\n';

/** A RUN is put below the case's own Containerfile: one that names another file is left out. */
const copies = buildCases().filter(
  (one) => succeeds(one) && one.arguments === undefined && /^(COPY|ADD) /m.test(textOf(one.name)),
);
const needs = { root: true, programs: ['skopeo', 'umoci', 'busybox', 'crun', 'getfattr'] };

describe.skipIf(skip('COPY with and without a RUN on top', needs))('COPY alone and below a RUN', () => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild('root');
    await loadBases(tsbuild, [await busyboxBase(), await triggeringBase()]);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  it('is asked of many cases', () => expect(copies.length).toBeGreaterThanOrEqual(25));

  it.each(copies)('$name', async (one) => {
    const cwd = join(tsbuild.folder, one.name);
    await layOut(one, cwd);
    const common = { cwd, env: one.env ?? {} };
    const alone = await buildLayout(tsbuild, buildArguments(one), { ...common, name: `${one.name}-alone` });
    const file = join(cwd, 'Containerfile');
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n${runTrue}`);
    const args = ['--no-cache', ...buildArguments(one)];
    const below = await buildLayout(tsbuild, args, { ...common, name: `${one.name}-below` });
    expect(await entriesOfLastLayer(below)).toEqual([]);
    const [a, b] = [await unpack(alone, `${cwd}.alone`), await unpack(below, `${cwd}.below`)];
    expect(compareTrees(await listTree(a), await listTree(b))).toEqual([]);
  });
});

/** Empty for a case whose file is not in the usual place: a RUN cannot be put below it. */
function textOf(name: string): string {
  const file = join('testdata/build', name, 'Containerfile');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

async function entriesOfLastLayer(layout: string): Promise<string[]> {
  const layer = readLayout(layout).manifest.layers.at(-1);
  const blob = join(layout, 'blobs/sha256', layer?.digest.slice(7) ?? '');
  const names = await must(['tar', '-tzf', blob]);
  return names.split('\n').filter((name) => !['', './', '/'].includes(name));
}
