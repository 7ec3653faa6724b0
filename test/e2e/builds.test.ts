import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeptBuild } from '../../src/core/remembered.ts';
import { busyboxBase } from '../support/base-images.ts';
import { isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const base = 'localhost/tsbuild-test/busybox:1';
const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];
const needs = { programs: ['skopeo', 'busybox'] };

/** More than any screen or error shows of a step. */
const manyLines = 3000;

describe.skipIf(skip('builds that are remembered', needs)).each(people)('builds and logs as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, [await busyboxBase()]);
    write('ok', `FROM ${base} AS tool\nRUN seq ${manyLines}\nFROM ${base}\nRUN echo "second $GREETING"\n`);
    write('bad', `FROM ${base}\nRUN --mount=type=secret,id=s cat /run/secrets/s; false\n`);
    write('slow', `FROM ${base}\nRUN echo begun; sleep 100\n`);
    await tsbuild.give(tsbuild.folder);
    await tsbuild.must(['build', '-t', 'app', 'ok', '--target', 'tool']);
    await tsbuild.must(['build', '-t', 'app', 'ok']);
    writeFileSync(join(tsbuild.folder, 'secret'), 'hunter2-hunter2');
    await tsbuild.give(tsbuild.folder);
    const bad = await tsbuild.run(['build', '--secret', 'id=s,src=secret', '--build-arg', 'X=1', 'bad']);
    expect(bad.code).toBe(1);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  it('lists them, newest first, with what came of them', async () => {
    const builds = await list();
    expect(
      builds.map(({ outcome, names, target, cached, steps }) => [outcome, names[0], target, cached, steps]),
    )
      // The base image is a step; it is at hand, so it counts as cached.
      .toEqual([
        ['failed', undefined, undefined, 1, 2],
        ['done', 'docker.io/library/app:latest', undefined, 1, 2],
        ['done', 'docker.io/library/app:latest', 'tool', 1, 2],
      ]);
    expect(builds[0]?.error).toMatchObject({ code: 'run-failed', location: { startLine: 2 } });
    const table = await tsbuild.must(['builds']);
    expect(table.split('\n')[0]).toMatch(/^BUILD +STARTED +TOOK +RESULT +CACHED +WHAT$/);
    expect(table).toMatch(/just now|seconds? ago/);
    expect(table).toContain('app:latest (tool)');
  });

  it('keeps logs whole, and finds them by build and step', async () => {
    const [failed, second, first] = (await list()) as [KeptBuild, KeptBuild, KeptBuild];
    const lines = (await tsbuild.must(['logs', first.id, 'tool'])).split('\n');
    expect(lines.filter((line) => /^\d+$/.test(line))).toHaveLength(manyLines);
    expect(await tsbuild.must(['logs', second.id.slice(-6), '2/2'])).toBe('second \n');
    expect(await tsbuild.must(['logs'])).toContain('**');
    const json = JSON.parse(await tsbuild.must(['logs', failed.id, '2/2', '--format', 'json'])) as object[];
    expect(json).toMatchObject([{ step: '0/2', outcome: 'failed' }]);
    await tsbuild.must(['build', '-t', 'app', 'ok']);
    expect(await tsbuild.must(['logs'])).toBe(
      `== [2/2] RUN echo "second $GREETING" (cached, from build ${second.id})\nsecond \n`,
    );
    const none = await tsbuild.run(['logs', first.id, 'nothing']);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('Name one by its id, its place or its stage:');
    expect((await tsbuild.run(['logs', 'zzz', '0/2'])).stderr).toContain('no single build is known as zzz');
  });

  it('holds no secret, and is for its owner alone', async () => {
    for (const { id } of await list()) {
      const folder = join(tsbuild.store, 'builds/v1', id);
      expect(statSync(folder).mode & 0o077).toBe(0);
      const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) =>
        one.isFile(),
      );
      for (const { parentPath, name } of files)
        expect(readFileSync(join(parentPath, name), 'utf8')).not.toContain('hunter2');
    }
  });

  it('tells a build that runs, and one that was killed', async () => {
    const [program, ...args] = tsbuild.commandLine(['build', 'slow']) as [string, ...string[]];
    const child = spawn(program, args, {
      cwd: tsbuild.folder,
      env: tsbuild.env,
      detached: true,
      stdio: 'ignore',
    });
    const gone = once(child, 'exit');
    const running = await until(async () => {
      const [build] = await list();
      return build?.outcome === 'running' && existsSync(join(folderOf(build), '0-2.log')) ? build : undefined;
    });
    expect(running).toMatchObject({ outcome: 'running', steps: 0 });
    process.kill(-child.pid!, 'SIGKILL');
    await gone;
    const killed = await until(async () => {
      const [build] = await list();
      return build?.outcome === 'running' ? undefined : build;
    });
    expect(killed).toMatchObject({ id: running.id, outcome: 'interrupted' });
    expect(await tsbuild.must(['builds'])).toContain('interrupted');
  });

  function write(folder: string, text: string): void {
    mkdirSync(join(tsbuild.folder, folder));
    writeFileSync(join(tsbuild.folder, folder, 'Containerfile'), text);
  }
  async function list(): Promise<KeptBuild[]> {
    return JSON.parse(await tsbuild.must(['builds', '--format', 'json'])) as KeptBuild[];
  }
  function folderOf({ id }: KeptBuild): string {
    return join(tsbuild.store, 'builds/v1', id);
  }
  async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      await sleep(50);
    }
  }
});
