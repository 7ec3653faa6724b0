import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { faultsOf } from '../support/markup-check.ts';
import { must } from '../support/programs.ts';
import { hasRegistryServer, startRegistryServer } from '../support/registry-server.ts';
import { isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const base = 'localhost/tsbuild-test/busybox:1';
const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];
const needs = { programs: ['skopeo', 'busybox'] };

describe.skipIf(skip('reports', needs)).each(people)('the report of a build, as %s,', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, [await busyboxBase()]);
    context(
      'app',
      `FROM ${base} AS tool\nRUN seq 5 > /five\nFROM ${base}\nCOPY --from=tool /five /\nRUN rm /five\n`,
    );
    context('bad', `FROM ${base}\nRUN echo made > /made\nRUN echo told && false\n`);
    context('wrong', 'FROM scratch\nCOPI a b\n');
    await tsbuild.give(tsbuild.folder);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  const path = (name: string): string => join(tsbuild.folder, name);
  const context = (name: string, containerfile: string): void => {
    mkdirSync(path(name));
    writeFileSync(join(path(name), 'Containerfile'), containerfile);
  };
  /** What a person reads of a page, spaces made one. */
  const textOf = (page: string): string =>
    page
      .replace(/<(style|script)>[\s\S]*?<\/\1>/g, '')
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ');

  it('is written beside the image, and the same again afterwards', async () => {
    const stdout = await tsbuild.must(['build', '-t', 'app', '--report', 'app.html', 'app']);
    expect(stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    const page = readFileSync(path('app.html'), 'utf8');
    expect(faultsOf(page)).toEqual([]);
    expect(textOf(page)).toMatch(/app:latest succeeded .* Steps 5 2 cached, 40 %/);
    expect(textOf(page)).toMatch(/five deleted by RUN rm \/five 10B/);
    expect(await tsbuild.must(['report', '-o', '-'])).toBe(page);
    expect(await tsbuild.must(['report'])).toMatch(/\/tsbuild-\d+-\d+-[0-9a-f]{6}\.html\n$/);
  });

  it('knows the layers of an image whose times were set back', async () => {
    await tsbuild.must(['build', '--source-date-epoch', '1', '--report', 'epoch.html', 'app']);
    expect(textOf(readFileSync(path('epoch.html'), 'utf8'))).toMatch(/five deleted by RUN rm \/five 10B/);
  });

  it('is written of a build that fails, too, with the layers it came to', async () => {
    const { code, stderr } = await tsbuild.run(['build', '--report', 'bad.html', 'bad']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/error: process .* exit code: 1\nhint: .*\n$/);
    const text = textOf(readFileSync(path('bad.html'), 'utf8'));
    expect(text).toMatch(/Containerfile failed .* exit code: 1 .* told The step that failed/);
    expect(text).toMatch(/Layers of stage-0, so far 3 layers/);
  });

  it('is missing where nothing was begun, which is said', async () => {
    const { code, stderr } = await tsbuild.run(['build', '--report', 'wrong.html', 'wrong']);
    expect(code).toBe(1);
    expect(stderr).toContain('warning: there is nothing to report: no step was begun\n');
    expect(existsSync(path('wrong.html'))).toBe(false);
  });

  it('fails with a reason where it cannot be made, and never in the place of the build', async () => {
    const lost = ['build', '--report', 'no/folder.html'];
    const fine = await tsbuild.run([...lost, 'app']);
    expect([fine.code, fine.stderr.split('\n').at(-2)]).toEqual([
      1,
      `error: the report cannot be written: ${path('no/folder.html')}`,
    ]);
    const bad = await tsbuild.run([...lost, 'bad']);
    expect(bad.stderr).toMatch(/warning: the report cannot be written: .*\n[\s\S]*error: process/);
    expect((await tsbuild.run(['build', '--report', '-', 'app'])).code).toBe(2);
    expect((await tsbuild.run(['build', '--check', '--report', 'x.html', 'app'])).code).toBe(2);
    expect((await tsbuild.run(['report', 'zzz'])).stderr).toContain('no single build is known as zzz');
  });

  it('does without logs and layers that are gone', async () => {
    const [{ id }] = JSON.parse(await tsbuild.must(['builds', '--format', 'json'])) as [{ id: string }];
    for (const part of [`builds/v1/${id}/0-3.log`, 'listings'])
      rmSync(join(tsbuild.store, part), { recursive: true });
    const page = await tsbuild.must(['report', '-o', '-', id]);
    expect(textOf(page)).toContain('RUN echo told && false'.replaceAll('&', '&amp;'));
  });
});

describe.skipIf(skip('reports of bases elsewhere', needs) || !hasRegistryServer())(
  'the report of a build on a base',
  () => {
    it('that was never fetched fetches nothing', async () => {
      const registry = await startRegistryServer();
      onTestFinished(() => registry.stop());
      await using tsbuild = await newTsbuild('root');
      const { layout } = await busyboxBase();
      const name = `${registry.host}/base:1`;
      await must([
        'skopeo',
        'copy',
        '-q',
        '--dest-tls-verify=false',
        `oci:${layout}:image`,
        `docker://${name}`,
      ]);
      writeFileSync(join(tsbuild.folder, 'Containerfile'), `FROM ${name}\nLABEL a=b\n`);
      await tsbuild.must(['build', '--report', 'a.html', '.']);
      const page = readFileSync(join(tsbuild.folder, 'a.html'), 'utf8');
      expect(page).toContain('in a registry');
      expect(registry.log()).not.toMatch(/"GET \/v2\/base\/blobs\/sha256:(?!.*config)[^"]*" 200 \d{5,}/);
    });
  },
);
