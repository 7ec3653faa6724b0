import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildEvent } from '../../src/core/events.ts';
import { busyboxBase } from '../support/base-images.ts';
import {
  applyEdit,
  type Edit,
  type ExplainedChange,
  explained,
  explainedChanges,
} from '../support/explained.ts';
import { type HttpServer, startHttpServer } from '../support/http-server.ts';
import { run } from '../support/programs.ts';
import { skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

const busybox = 'localhost/tsbuild-test/busybox:1';
const { changes } = explainedChanges({ busybox });
const served = new Map<string, string>();

describe.skipIf(skip('explained changes', { programs: ['skopeo', 'busybox'] }))('explain', () => {
  let tsbuild: AsyncDisposable & Tsbuild;
  let server: HttpServer;
  beforeAll(async () => {
    tsbuild = await newTsbuild('root');
    server = await startHttpServer((request, response) => {
      response.end(served.get(request.url ?? '') ?? 'nothing');
    });
    await loadBases(tsbuild, [await busyboxBase()]);
  });
  afterAll(async () => {
    await server?.stop();
    await tsbuild?.[Symbol.asyncDispose]();
  });

  it.each(changes.map(({ about }) => about))('names %s, and nothing else', async (about) => {
    const table = explainedChanges({ busybox, server: server.origin });
    const one = table.changes.find((change) => change.about === about)!;
    const told = explained(await buildTwice(one, table.projects[one.project ?? ''] ?? {}));
    expect(told.map(([step]) => step)).toEqual(Object.keys(one.explains));
    for (const [step, clauses] of told)
      expect(clauses, step).toEqual(
        one.explains[step]!.map((clause) => expect.stringMatching(pattern(clause))),
      );
  });

  describe('besides', () => {
    const project = () => join(tsbuild.folder, 'besides');
    const build = (...flags: string[]) => tsbuild.run(['build', '--progress', 'plain', ...flags, project()]);
    const secrets = { '--build-arg': 'NPM_TOKEN=hunter2-first' };
    beforeAll(async () => {
      const login = 'RUN echo https://me:swordfish@example.com > /dev/null';
      const lines = [
        `FROM ${busybox}`,
        login,
        'ARG NPM_TOKEN',
        'COPY . /app/$NPM_TOKEN',
        'RUN echo $NPM_TOKEN > /dev/null',
      ];
      applyEdit(project(), { files: { Containerfile: lines, 'a.txt': ['a'] } });
      expect((await build(...Object.entries(secrets).flat())).code).toBe(0);
      applyEdit(project(), { files: { 'a.txt': ['b'] } });
    });

    it('tells it below the picture, and afterwards', async () => {
      const { stderr } = await build('--explain', ...Object.entries(secrets).flat());
      const story = stderr.slice(stderr.indexOf('Why '));
      expect(story).toMatch(
        /^Why 2 steps ran and 1 came from the cache, compared with build [\w-]+:\n\n\[3\/4\] COPY .*\n {2}file a\.txt: content\n\n\[4\/4\] RUN .*\n {2}layer below \[3\/4\] COPY .*: made anew\n/,
      );
      expect(await tsbuild.must(['explain'])).toMatch(/\[3\/4\] COPY .*\n {2}file a\.txt: content\n/);
      const one = JSON.parse(await tsbuild.must(['explain', '--format', 'json', '0/3'])) as object[];
      expect(one).toMatchObject([{ step: '0/3', outcome: 'done', explanation: { reason: 'changed' } }]);
      expect((await build('--explain', ...Object.entries(secrets).flat())).stderr).toContain(
        'No step ran: 3 steps came',
      );
      expect(await tsbuild.must(['explain'])).toBe('No step ran: 3 steps came from the cache.\n');
    });

    it('keeps no secret of it', async () => {
      await build('--build-arg', 'NPM_TOKEN=hunter2-second');
      expect(await tsbuild.must(['explain', '4/4'])).toContain('build argument NPM_TOKEN: **** → ****');
      const kept = ['ingredients', 'records', 'builds'].map((name) => join(tsbuild.store, name));
      const found = async (word: string) =>
        (await run(['grep', '-rl', '--exclude=sources.json', word, ...kept])).stdout;
      expect([await found('hunter2'), await found('swordfish')]).toEqual(['', '']);
      expect(await found('NPM_TOKEN')).not.toBe('');
    });

    it('says what it does not know', async () => {
      const { code, stderr } = await tsbuild.run(['explain', 'nothing']);
      expect([code, stderr]).toEqual([1, expect.stringContaining('has no step nothing')]);
      const wrong = await tsbuild.run(['build', '--explain', '--target', 'nothing', project()]);
      expect([wrong.code, wrong.stderr]).toEqual([1, expect.not.stringContaining('step')]);
    });
  });

  async function buildTwice(
    one: ExplainedChange,
    project: NonNullable<Edit['files']>,
  ): Promise<BuildEvent[]> {
    const folder = join(tsbuild.folder, 'projects', one.about.replaceAll(/\W+/g, '-'));
    mkdirSync(folder, { recursive: true });
    applyEdit(folder, { files: project });
    for (const edit of [one, one.first ?? {}]) applyEdit(folder, edit);
    const first = await build(folder, { ...one, ...one.first }, one);
    if (one.then === undefined) return first;
    applyEdit(folder, one.then);
    return await build(folder, { flags: one.flags ?? [], ...one.then }, one);
  }

  async function build(
    folder: string,
    edit: Edit,
    { fails = false }: ExplainedChange,
  ): Promise<BuildEvent[]> {
    for (const [path, text] of Object.entries(edit.serve ?? {})) served.set(path, text);
    for (const command of edit.commands ?? []) await tsbuild.must(command, { cwd: folder });
    const flags = ['--events-fd', '2', ...(edit.flags ?? [])];
    const { code, stderr } = await tsbuild.run(['build', ...flags, '.'], { cwd: folder });
    expect(code, stderr).toBe(fails ? 1 : 0);
    return stderr.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as BuildEvent]));
  }
});

function pattern(clause: string): RegExp {
  const literal = clause.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${literal}$`);
}
