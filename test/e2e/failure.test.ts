import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { must } from '../support/programs.ts';
import { isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];
const needs = { programs: ['skopeo', 'busybox', 'crun', 'script'] };
const containerfile = `FROM localhost/tsbuild-test/busybox:1 AS first
RUN seq 60 | sed "s/^/line /"; echo the reason >&2; exit 42
`;

describe.skipIf(skip('a failing RUN', needs)).each(people)('a failing RUN as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, [await busyboxBase()]);
    mkdirSync(join(tsbuild.folder, 'context'));
    writeFileSync(join(tsbuild.folder, 'context/Containerfile'), containerfile);
    await tsbuild.give(tsbuild.folder);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  it.each(['plain', 'quiet'])('is told whole with --progress=%s', async (mode) => {
    const outcome = await tsbuild.run([
      'build',
      '--progress',
      mode,
      '--metadata-file',
      'metadata',
      'context',
    ]);
    expect([outcome.code, outcome.stdout]).toEqual([1, '']);
    const end = outcome.stderr.slice(outcome.stderr.indexOf('------'));
    expect(end).toMatch(/^ > \[first 2\/2\] RUN seq/m);
    expect(end).toMatch(/^line 60$/m);
    expect(end).not.toMatch(/^line 30$/m);
    expect(end).toMatch(/^the reason$/m);
    expect(end).toMatch(/^ +2 \| >>> RUN seq/m);
    expect(end).toMatch(/exit code: 42$/m);
    expect(end).toMatch(/^hint: /m);
    const log = readFileSync(/^complete log: (.*)$/m.exec(end)![1]!, 'utf8');
    expect(log).toMatch(/^(?:the reason\n)?line 1\nline 2\n/);
    const metadata = readFileSync(join(tsbuild.folder, 'metadata'), 'utf8');
    expect(JSON.parse(metadata)).toMatchObject({ error: { code: 'run-failed', exitCode: 42 } });
  });

  it('shows the lines of a Containerfile that came through stdin, alone or in a tar', async () => {
    const snippet = /^ +2 \| >>> RUN seq/m;
    const alone = await tsbuild.run(['build', '-f', '-', 'context'], { input: containerfile });
    expect(alone.stderr).toMatch(snippet);
    const context = await tsbuild.run(['build', '-'], { input: containerfile });
    expect(context.stderr).toMatch(snippet);
    await must(['tar', '-C', join(tsbuild.folder, 'context'), '-cf', join(tsbuild.folder, 'tar'), '.']);
    const tar = await tsbuild.run(['build', '-'], { input: readFileSync(join(tsbuild.folder, 'tar')) });
    expect(tar.stderr).toMatch(snippet);
    const wrong = await tsbuild.run(['build', '-f', '-', 'context'], { input: 'FROM scratch\nCOPPY a b\n' });
    expect(wrong.stderr).toMatch(/^ +2 \| >>> COPPY a b/m);
  });

  it.each(['a pipe that stays open', 'a terminal'])('does not wait for %s at stdin', async (kind) => {
    const words = tsbuild.commandLine(['build', '--no-cache', '--progress', 'plain', 'context']);
    const line = words.map((word) => `'${word}'`).join(' ');
    const command = kind === 'a terminal' ? ['script', '-qec', line, '/dev/null'] : words;
    const [program = '', ...args] = command;
    const options = { cwd: tsbuild.folder, env: { ...tsbuild.env, TERM: 'xterm' } };
    const child = spawn(program, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.resume();
    const code = await new Promise((resolve) => child.once('exit', resolve));
    child.stdin.end();
    expect(code).toBe(1);
  });
});
