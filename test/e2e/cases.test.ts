import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseBases } from '../support/base-images.ts';
import {
  asSecond,
  type BuildCase,
  buildArguments,
  buildCases,
  change,
  layOut,
  type SecondBuild,
  succeeds,
  wrongConfig,
  wrongFiles,
  wrongGolden,
  wrongOutput,
  wrongSteps,
} from '../support/cases.ts';
import { readLayout } from '../support/oci-layout.ts';
import { isRoot, skip } from '../support/skips.ts';
import { listTree, unpack } from '../support/trees.ts';
import { imageId, loadBases, newTsbuild, type Tsbuild, tagLayout, type Who } from '../support/tsbuild.ts';

const needs = { programs: ['skopeo', 'umoci', 'busybox', 'crun', 'getfattr', 'setfattr'] };
const cases = buildCases();

describe.skipIf(skip('cases as root', needs))('cases as root', () => suite('root', cases));

describe.skipIf(skip('cases as an ordinary user', { ...needs, root: true }))(
  'cases as an ordinary user',
  () =>
    suite(
      'user',
      cases.filter((one) => one.asUser === true),
    ),
);

describe('the cases themselves', () => {
  it('are many, and a good part is also built by the ordinary user', () => {
    expect(cases.length).toBeGreaterThanOrEqual(500);
    expect(cases.filter((one) => one.asUser).length).toBeGreaterThanOrEqual(cases.length / 2);
  });

  it('are all there that the table of traps names', () => {
    const rows = readFileSync('testdata/build/TRAPS.md', 'utf8').match(/^\| .*\|$/gm) ?? [];
    const named = rows
      .flatMap((row) => row.split(/(?<!\\)\|/)[2]?.split(',') ?? [])
      .map((name) => name.trim());
    const known = ['Cases', ...cases.map(({ name }) => name), ...readdirSync('test/e2e')];
    expect(named.length).toBeGreaterThan(100);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  it.each(cases)(
    '$name expects something',
    ({ golden, second, expect: { files, config, messages, exit, history } }) => {
      const said = [golden, second, files, config, messages, history].some((part) => part !== undefined);
      expect(said || exit !== 0).toBe(true);
    },
  );
});

/** Every case in one store that holds the base images, so that no network is asked. */
function suite(who: Who, chosen: readonly BuildCase[]): void {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, await caseBases());
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  const hidden = chosen.filter((one) => one.needsRoot !== undefined && !isRoot);
  it.skipIf(hidden.length > 0).each(hidden)('$name needs root: $needsRoot', () => {});
  it.concurrent.each(chosen.filter((one) => !hidden.includes(one)))('$name', async (one) => {
    await layOut(one, join(tsbuild.folder, one.name), tsbuild);
    const built = await expectBuild(tsbuild, one, 'first');
    if (one.second !== undefined) await expectSecond(tsbuild, one, one.second);
    else if (succeeds(one)) await expectCached(tsbuild, one, built);
  });
}

interface Built {
  readonly code: number | null;
  readonly output: string;
  readonly layout: string;
  readonly id: string;
}

async function build(tsbuild: Tsbuild, one: BuildCase, name: string): Promise<Built> {
  const cwd = join(tsbuild.folder, one.name);
  const layout = join(cwd, `${name}.oci`);
  const ids = join(cwd, `${name}.id`);
  const output = ['-o', `type=oci,tar=false,dest=${layout}`, '--iidfile', ids, '--progress', 'plain'];
  const outcome = await tsbuild.run(['build', ...output, ...buildArguments(one)], {
    cwd,
    env: one.env ?? {},
  });
  const id = outcome.code === 0 ? imageId(ids) : '';
  return { code: outcome.code, output: outcome.stdout + outcome.stderr, layout, id };
}

/** Builds and compares what came out with what the case expects. */
async function expectBuild(tsbuild: Tsbuild, one: BuildCase, name: string): Promise<Built> {
  const built = await build(tsbuild, one, name);
  const exits = typeof one.expect.exit === 'number' ? [one.expect.exit] : one.expect.exit;
  expect(exits, built.output).toContain(built.code);
  expect(wrongOutput(one, built.output), built.output).toEqual([]);
  if (built.code === 0) await expectImage(one, built);
  return built;
}

async function expectImage(one: BuildCase, built: Built): Promise<void> {
  const { config, history, files } = one.expect;
  if ([one.golden, config, history, files].every((part) => part === undefined)) return;
  const layout = await tagLayout(built.layout, `${built.layout}.image`);
  expect(wrongConfig(one, layout, inheritedHistory(layout))).toEqual([]);
  expect(wrongGolden(one, readLayout(layout).config)).toEqual([]);
  if (files === undefined || readLayout(layout).manifest.layers.length === 0) return;
  const rootfs = await unpack(layout, `${layout}.bundle`);
  expect(wrongFiles(one, await listTree(rootfs), rootfs, isRoot)).toEqual([]);
}

/** The build after a change makes again what the case says, and nothing else. */
async function expectSecond(tsbuild: Tsbuild, one: BuildCase, second: SecondBuild): Promise<void> {
  await change(join(tsbuild.folder, one.name), tsbuild);
  const built = await expectBuild(tsbuild, asSecond(one, second), 'second');
  expect(wrongSteps(second, built.output), built.output).toEqual([]);
}

/** The second build runs nothing and gives the same image. */
async function expectCached(tsbuild: Tsbuild, one: BuildCase, first: Built): Promise<void> {
  const again = await build(tsbuild, one, 'second');
  expect(again.code, again.output).toBe(0);
  expect(again.output.match(/^#\d+ DONE .*$/gm) ?? [], again.output).toEqual([]);
  expect(again.id).toBe(first.id);
}

/** Entries of the base images, which say `tests`. */
function inheritedHistory(layout: string): number {
  return readLayout(layout).config.history.filter((entry) => entry.created_by === 'tests').length;
}
