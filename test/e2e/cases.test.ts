import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseBases } from '../support/base-images.ts';
import { type Buildah, budTree, closeBuildah, newBuildah, pullBases } from '../support/buildah.ts';
import { type Built, type CaseBuilds, unpackBuilt } from '../support/case-builds.ts';
import { casePrograms, checkCases } from '../support/case-checks.ts';
import { buildArguments, buildCases, succeeds } from '../support/cases.ts';
import { readLayout } from '../support/oci-layout.ts';
import { must } from '../support/programs.ts';
import { temporaryFolder } from '../support/shared.ts';
import { skip } from '../support/skips.ts';
import { compareTrees, listTree } from '../support/trees.ts';

const cases = buildCases();

describe.skipIf(skip('cases as root', { programs: casePrograms }))('cases as root', () => {
  const builds = checkCases('root', cases);
  describe.skipIf(skip('COPY with and without a RUN on top', { root: true }))('below a RUN', () =>
    checkBelowRun(builds),
  );
  const needs = { root: true, programs: ['buildah', 'runc'] };
  describe.skipIf(skip('comparison with buildah', needs))('the same tree as buildah builds', () =>
    checkBuildah(builds),
  );
});

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

/** A program from elsewhere, so that it runs in images that hold none. */
const runTrue =
  'USER 0\nRUN --mount=type=bind,from=localhost/tsbuild-test/busybox:1,source=/bin/busybox,target=/dev/busybox ["/dev/busybox", "true"]\n';

/** A COPY is made from listings; a RUN on top unpacks what came of it, and must find that nothing changed. */
function checkBelowRun(builds: () => CaseBuilds): void {
  // A RUN is put below the case's own Containerfile: one that names another file is left out.
  const copies = cases.filter(
    (one) => succeeds(one) && one.arguments === undefined && /^(COPY|ADD) /m.test(textOf(one.name)),
  );
  it('is asked of many cases', () => expect(copies.length).toBeGreaterThanOrEqual(25));

  it.concurrent.each(copies)('$name', async (one) => {
    const alone = await builds().first(one);
    const cwd = await builds().untouched(one);
    const file = join(cwd, 'Containerfile');
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n${runTrue}`);
    const below = await builds().build(one, { name: 'below', cwd, flags: ['--no-cache'] });
    expect(below.code, below.output).toBe(0);
    const layers = layersOf(below);
    expect(await entriesOf(below, layers.pop()!)).toEqual([]);
    if (layers.join() === layersOf(alone).join()) return;
    const [a, b] = [await builds().unpacked(one), await unpackBuilt(below)];
    expect(compareTrees(a.tree, b.tree)).toEqual([]);
  });
}

/** Empty for a case whose file is not in the usual place: a RUN cannot be put below it. */
function textOf(name: string): string {
  const file = join('testdata/build', name, 'Containerfile');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** Digests: where they are the same, so is all that they hold. */
function layersOf({ layout }: Built): string[] {
  return readLayout(layout).manifest.layers.map(({ digest }) => digest);
}

async function entriesOf({ layout }: Built, digest: string): Promise<string[]> {
  const names = await must(['tar', '-tzf', join(layout, 'blobs/sha256', digest.slice(7))]);
  return names.split('\n').filter((name) => !['', './', '/'].includes(name));
}

interface Difference {
  readonly reason: string;
  /** Regular expressions over the lines of `compareTrees(ours, theirs)`. */
  readonly lines: readonly string[];
}

/** What buildah's sandbox leaves in every image where something ran; ours leaves nothing. */
const residue =
  /^\/(dev|etc|proc|run|sys)(\/(hosts|hostname|resolv\.conf|\.containerenv|secrets|console|null|pts|shm|mqueue))?: /;

/** No layer of the bases holds the root folder: umoci and buildah's storage make it each in its own way. */
const rootFolder = '/: mode "0755" and "0555"';

/** Where a case is about files: a second build is about our cache, of which buildah knows nothing. */
function checkBuildah(builds: () => CaseBuilds): void {
  const text = readFileSync('testdata/build/buildah-differences.json', 'utf8');
  const differences = JSON.parse(text) as Record<string, Difference>;
  const compared = cases
    .filter((one) => succeeds(one) && one.buildah === undefined)
    .filter((one) => one.expect.files !== undefined && one.second === undefined);
  const folder = temporaryFolder('buildah');
  let buildah: Buildah;
  beforeAll(async () => {
    buildah = newBuildah(folder.path);
    await pullBases(buildah, await caseBases());
  });
  afterAll(async () => {
    await closeBuildah(buildah);
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
    const { name, env = {} } = one;
    const cwd = await builds().folder(one);
    const options = { cwd, name, env: { ...process.env, ...env } };
    const theirs = await listTree(await budTree(buildah, buildArguments(one), options));
    const { tree: ours } = await builds().unpacked(one);
    const found = compareTrees(ours, theirs).filter((line) => line !== rootFolder && !residue.test(line));
    const known = (differences[name]?.lines ?? []).map((pattern) => new RegExp(pattern));
    expect(found.filter((line) => !known.some((pattern) => pattern.test(line)))).toEqual([]);
    // A listed difference that is gone is stale, and goes from the list.
    expect(known.filter((pattern) => !found.some((line) => pattern.test(line)))).toEqual([]);
  });
}
