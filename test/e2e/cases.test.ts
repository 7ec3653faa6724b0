import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseBases } from '../support/base-images.ts';
import {
  type BuildCase,
  buildArguments,
  buildCases,
  layOut,
  succeeds,
  wrongConfig,
  wrongFiles,
  wrongGolden,
  wrongOutput,
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
    expect(cases.length).toBeGreaterThanOrEqual(45);
    expect(cases.filter((one) => one.asUser).length).toBeGreaterThanOrEqual(cases.length / 2);
  });

  it.each(cases)(
    '$name expects something',
    ({ golden, expect: { files, config, messages, exit, history } }) => {
      expect(
        [golden, files, config, messages, history].some((part) => part !== undefined) || exit !== 0,
      ).toBe(true);
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

  it.each(chosen)('$name', async (one) => {
    const cwd = join(tsbuild.folder, one.name);
    await layOut(one, cwd, tsbuild);
    const built = await build(tsbuild, one, 'first');
    const exits = typeof one.expect.exit === 'number' ? [one.expect.exit] : one.expect.exit;
    expect(exits, built.output).toContain(built.code);
    expect(wrongOutput(one, built.output), built.output).toEqual([]);
    if (built.code !== 0) return;
    await expectImage(one, built);
    if (succeeds(one)) await expectCached(tsbuild, one, built);
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

async function expectImage(one: BuildCase, built: Built): Promise<void> {
  const layout = await tagLayout(built.layout, `${built.layout}.image`);
  expect(wrongConfig(one, layout, inheritedHistory(layout))).toEqual([]);
  expect(wrongGolden(one, readLayout(layout).config)).toEqual([]);
  if (readLayout(layout).manifest.layers.length === 0) return;
  const rootfs = await unpack(layout, `${layout}.bundle`);
  expect(wrongFiles(one, await listTree(rootfs), rootfs, isRoot)).toEqual([]);
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
