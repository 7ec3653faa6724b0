import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildEvent } from '../../src/core/events.ts';
import { busyboxBase, triggeringBase } from '../support/base-images.ts';
import { run } from '../support/programs.ts';
import { newTerminal } from '../support/screen-emulator.ts';
import { skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

const needs = { programs: ['skopeo', 'busybox', 'script'] };
const base = 'localhost/tsbuild-test/busybox:1';

describe.skipIf(skip('progress', needs))('progress', () => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild('root');
    await loadBases(tsbuild, [await busyboxBase(), await triggeringBase()]);
    write('hostile', `FROM ${base}\nCMD true\nRUN echo ::error::x; echo '##[error]y'; false\n`);
    write('triggered', 'FROM localhost/tsbuild-test/triggers:1\nRUN true\nWORKDIR /w\n');
    writeFileSync(join(tsbuild.folder, 'triggered/trigger.txt'), 'x\n');
    const sixty = Array.from({ length: 60 }, (_, i) => `WORKDIR /w${i}\n`);
    write('sixty', `FROM ${base}\n${sixty.join('')}`);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  it('annotates errors and warnings for GitHub, which obeys no step', async () => {
    const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: tsbuild.folder };
    const { code, stderr } = await tsbuild.run(['build', 'hostile'], { env });
    const orders = stderr.split('\n').filter((line) => /^\s*::|##\[/.test(line));
    expect([code, orders]).toEqual([
      1,
      [
        expect.stringMatching(/^::group::#\d+ \[2\/2\] RUN echo ::error::x/),
        '::endgroup::',
        expect.stringMatching(/^::warning file=hostile\/Containerfile,line=2,.*title=JSONArgsRecommended::/),
        expect.stringMatching(/^::error file=hostile\/Containerfile,line=3,.*title=tsbuild%3A run-failed::/),
      ],
    ]);
    expect(stderr).toMatch(/^FAILED after \S+ \(2 steps, 1 cached\)$/m);
    const logs = await tsbuild.must(['logs'], { env });
    expect(logs).toMatch(/^: :error::x\n# #\[error\]y\n$/m);
  });

  it("is BuildKit's with rawjson, and the failure is text below it", async () => {
    const { code, stderr } = await tsbuild.run(['build', '--progress', 'rawjson', 'hostile']);
    const lines = stderr.split('\n');
    const ends = lines.findIndex((line) => !line.startsWith('{'));
    interface Line {
      readonly vertexes?: readonly { readonly name: string; readonly error?: string }[];
      readonly logs?: readonly { readonly data: string }[];
    }
    const statuses = lines.slice(0, ends).map((line) => JSON.parse(line) as Line);
    const failed = statuses.flatMap(({ vertexes = [] }) =>
      vertexes.filter(({ error }) => error !== undefined),
    );
    expect(failed.map(({ error }) => error)).toEqual([expect.stringMatching(/exit code: 1$/)]);
    const logs = statuses.flatMap(({ logs = [] }) => logs.map(({ data }) => data));
    expect(Buffer.from(logs.join(''), 'base64').toString()).toBe('::error::x\n##[error]y\n');
    expect(lines.slice(ends).join('\n')).toMatch(/^error: process .*exit code: 1$/m);
    expect(code).toBe(1);
  });

  it('counts the steps that a base image triggers, and tells where the time went', async () => {
    const stderr = await onTerminal(['build', 'triggered'], 100);
    expect(stderr[0]).toMatch(/^\[\+\] Building \S+ \(5\/5\) FINISHED$/);
    expect(stderr.join('\n')).toMatch(/^ {2}layers {2}4 made, /m);
    const builds = JSON.parse(await tsbuild.must(['builds', '--format', 'json'])) as [
      { readonly id: string },
    ];
    const kept = readFileSync(join(tsbuild.store, 'builds/v1', builds[0].id, 'events.jsonl'), 'utf8');
    const events = kept
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as BuildEvent);
    const ran = events.find((event) => event.type === 'span' && event.what === 'run');
    expect(ran).toMatchObject({ step: '0/3' });
    expect(ran).toSatisfy(
      (event: { readonly startedAt: number; readonly at: number }) => event.startedAt < event.at,
    );
  });

  it('folds a cached build of 60 steps', async () => {
    await tsbuild.must(['build', 'sixty']);
    for (const columns of [50, 200]) {
      const lines = await onTerminal(['build', 'sixty'], columns);
      expect(lines[0]).toMatch(/^\[\+\] Building \S+ \(61\/61\) FINISHED$/);
      expect(lines[1]).toMatch(/^ => CACHED \[1\/61\] … 61\/61 \(61 steps\) +\d\.\ds$/);
      expect(lines[2]).toMatch(/^sha256:/);
    }
  });

  /** What a terminal of 24 rows shows in the end. */
  async function onTerminal(args: readonly string[], columns: number): Promise<string[]> {
    const line = tsbuild.commandLine(args).join(' ');
    const env = { ...tsbuild.env, TERM: 'xterm', NO_COLOR: '1' };
    const options = { cwd: tsbuild.folder, env };
    const sized = `stty cols ${columns} rows 24; ${line}`;
    const { stdout } = await run(['script', '-qec', sized, '/dev/null'], options);
    const terminal = newTerminal({ columns, rows: 24 });
    terminal.write(stdout);
    return terminal.lines();
  }

  function write(name: string, containerfile: string): void {
    mkdirSync(join(tsbuild.folder, name));
    writeFileSync(join(tsbuild.folder, name, 'Containerfile'), containerfile);
  }
});
