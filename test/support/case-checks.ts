import { afterAll, beforeAll, expect, it } from 'vitest';
import { caseBases } from './base-images.ts';
import { type Built, type CaseBuilds, caseBuilds, type Unpacked, unpackBuilt } from './case-builds.ts';
import {
  asSecond,
  type BuildCase,
  change,
  type SecondBuild,
  succeeds,
  wrongConfig,
  wrongFiles,
  wrongGolden,
  wrongOutput,
  wrongSteps,
} from './cases.ts';
import { readLayout } from './oci-layout.ts';
import { isRoot } from './skips.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from './tsbuild.ts';

/** Programs without which no case can be built and looked at. */
export const casePrograms = ['skopeo', 'umoci', 'busybox', 'crun', 'getfattr', 'setfattr'];

/**
 * Tests that build every chosen case twice, in one store that holds the base images, so that no network is asked.
 * Gives the builds, for more tests of the same `describe`.
 */
export function checkCases(who: Who, chosen: readonly BuildCase[]): () => CaseBuilds {
  let tsbuild: AsyncDisposable & Tsbuild;
  let builds: CaseBuilds;
  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    builds = caseBuilds(tsbuild);
    await loadBases(tsbuild, await caseBases());
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  const hidden = chosen.filter((one) => one.needsRoot !== undefined && !isRoot);
  it.skipIf(hidden.length > 0).each(hidden)('$name needs root: $needsRoot', () => {});
  it.concurrent.each(chosen.filter((one) => !hidden.includes(one)))('$name', async (one) => {
    const first = await builds.first(one);
    await expectBuilt(one, first, () => builds.unpacked(one));
    if (one.second !== undefined) await expectSecond(builds, one, one.second);
    else if (succeeds(one)) await expectCached(builds, one, first);
  });
  return () => builds;
}

/** Compares what came out with what the case expects. */
async function expectBuilt(one: BuildCase, built: Built, unpacked: () => Promise<Unpacked>): Promise<void> {
  const exits = typeof one.expect.exit === 'number' ? [one.expect.exit] : one.expect.exit;
  expect(exits, built.output).toContain(built.code);
  expect(wrongOutput(one, built.output), built.output).toEqual([]);
  if (built.code !== 0) return;
  const {
    golden,
    expect: { config, history, files },
  } = one;
  if ([golden, config, history, files].every((part) => part === undefined)) return;
  const { layout } = built;
  expect(wrongConfig(one, layout, inheritedHistory(layout))).toEqual([]);
  expect(wrongGolden(one, readLayout(layout).config)).toEqual([]);
  if (files === undefined || readLayout(layout).manifest.layers.length === 0) return;
  const { tree, rootfs } = await unpacked();
  expect(wrongFiles(one, tree, rootfs, isRoot)).toEqual([]);
}

/** The build after a change makes again what the case says, and nothing else. */
async function expectSecond(builds: CaseBuilds, one: BuildCase, second: SecondBuild): Promise<void> {
  await builds.untouched(one);
  await change(await builds.folder(one), builds.tsbuild);
  const changed = asSecond(one, second);
  const built = await builds.build(changed, { name: 'second' });
  await expectBuilt(changed, built, () => unpackBuilt(built));
  expect(wrongSteps(second, built.output), built.output).toEqual([]);
}

/** The second build runs nothing and gives the same image. */
async function expectCached(builds: CaseBuilds, one: BuildCase, first: Built): Promise<void> {
  const again = await builds.build(one, { name: 'second' });
  expect(again.code, again.output).toBe(0);
  expect(again.output.match(/^#\d+ DONE .*$/gm) ?? [], again.output).toEqual([]);
  expect(again.id).toBe(first.id);
}

/** Entries of the base images, which say `tests`. */
function inheritedHistory(layout: string): number {
  return readLayout(layout).config.history.filter((entry) => entry.created_by === 'tests').length;
}
