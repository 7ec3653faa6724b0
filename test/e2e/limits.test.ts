import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parentsFor } from '../../builder/sandbox/control-groups.ts';
import { groupLimits } from '../../builder/sandbox/group-limits.ts';
import { busyboxBase } from '../support/base-images.ts';
import { processesGone } from '../support/processes.ts';
import { type Outcome, type RunOptions, run } from '../support/programs.ts';
import { has, isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const base = 'localhost/tsbuild-test/busybox:1';
const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];
const engines = ['builtin', 'crun', 'runc'].filter((name) => name === 'builtin' || has(name));
const all = groupLimits({ memoryBytes: 1, cpu: { quotaUs: 1, periodUs: 1 }, cpuset: '0', pids: 1 });
/** Where groups can be made as the person who runs the tests. */
const parents = parentsFor(all);
const held = parents.flatMap(({ limits }) => limits.map(({ controller }) => controller));
const tooMuch = 'RUN dd if=/dev/zero of=/dev/null bs=600M count=1';
const bomb = 'RUN i=0; while [ $i -lt 200 ]; do sleep 1000 & i=$((i+1)); done; echo all of them';

describe.skipIf(skip('limits', { programs: ['busybox'] })).each(people)('limits as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, [await busyboxBase()]);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  const words = async (step: string, flags: readonly string[]): Promise<string[]> => {
    const context = join(tsbuild.folder, `context-${readdirSync(tsbuild.folder).length}`);
    mkdirSync(context);
    writeFileSync(join(context, 'Containerfile'), `FROM ${base}\n${step}\n`);
    await tsbuild.give(context);
    return ['build', '--no-cache', '--progress', 'plain', ...flags, context];
  };
  const build = async (step: string, flags: readonly string[], options?: RunOptions): Promise<Outcome> =>
    await tsbuild.run(await words(step, flags), options);
  const inGroups = (controller: string): boolean => who === 'root' && held.includes(controller);

  describe.each(engines)('%s', (runtime) => {
    it('ends a step that takes more memory than it may have', async () => {
      const outcome = await build(tooMuch, ['--memory=256m', '--runtime', runtime]);
      expect(outcome.code, outcome.stderr).toBe(1);
      // Of version 1 runc keeps its own group, in which the kernel counts what it ends.
      if (inGroups('memory') && runtime !== 'runc') expect(outcome.stderr).toContain('after memory ran out');
      if (!inGroups('memory')) expect(outcome.stderr).toMatch(/out of memory|allocate/i);
      expect((await build('RUN true', ['--memory=256m', '--runtime', runtime])).code).toBe(0);
    });

    it.skipIf(who === 'root' && !held.includes('pids'))(
      'stops a step from making ever more processes',
      async () => {
        const outcome = await build(bomb, ['--pids-limit=50', '--runtime', runtime]);
        expect(outcome.stderr).toMatch(/can't fork/);
        expect(outcome.stderr).not.toMatch(/^#\d+ [\d.]+ all of them$/m);
        expect(await processesGone(tsbuild.folder)).toEqual([]);
        expect((await build(bomb, ['--runtime', runtime])).stderr).toMatch(/^#\d+ [\d.]+ all of them$/m);
      },
    );
  });

  it('says once what cannot be held, and what can be only in part', async () => {
    const outcome = await build('RUN true\nRUN true', ['--memory=64m', '--cpus=1', '--pids-limit=100']);
    expect(outcome.code, outcome.stderr).toBe(0);
    const said = outcome.stderr.match(/there is no control group to hold steps with/g) ?? [];
    const inPart = ['memory', 'cpu', 'pids'].some((controller) => !inGroups(controller));
    expect(said, outcome.stderr).toHaveLength(inPart ? 1 : 0);
    if (!inGroups('cpu')) expect(outcome.stderr).toContain('--cpus is not held');
  });

  it('tells who asked for nothing nothing', async () => {
    expect((await build('RUN true', [])).stderr).not.toContain('control group');
  });
});

describe.skipIf(skip('control groups', { root: true, programs: ['busybox'] }) || parents.length === 0)(
  'control groups',
  () => {
    let tsbuild: AsyncDisposable & Tsbuild;
    beforeAll(async () => {
      tsbuild = await newTsbuild('root');
      await loadBases(tsbuild, [await busyboxBase()]);
    });
    afterAll(() => tsbuild?.[Symbol.asyncDispose]());

    const flags = ['--memory=64m', '--cpus=0.5', '--cpuset-cpus=0', '--pids-limit=100'];
    const groups = (): string[] =>
      parents.flatMap(({ folder }) =>
        readdirSync(folder).flatMap((name) =>
          name.startsWith('tsbuild-limits-') ? [join(folder, name)] : [],
        ),
      );

    it('carry the limits while a step runs, and go with it', async () => {
      const files = new Map<string, string>();
      const look = (output: string): void => {
        if (!output.includes('up\n') || files.size > 0) return;
        for (const group of groups())
          for (const { files: known } of all)
            for (const { name } of [...known[1], ...known[2]]) keep(files, join(group, name), name);
      };
      const words = tsbuild.commandLine(['run', ...flags, base, 'sh', '-c', 'echo up; sleep 1; nproc']);
      const outcome = await run(words, { env: tsbuild.env, cwd: tsbuild.folder, said: look });
      expect(outcome.code, outcome.stderr).toBe(0);
      if (held.includes('cpuset')) expect(outcome.stdout).toBe('up\n1\n');
      if (held.includes('memory'))
        expect(files.get('memory.limit_in_bytes') ?? files.get('memory.max')).toBe(String(64 * 1024 * 1024));
      if (held.includes('cpu'))
        expect([files.get('cpu.cfs_quota_us'), files.get('cpu.max')]).toContainEqual(
          expect.stringMatching(/^50000/),
        );
      expect(groups()).toEqual([]);
    });

    it('that a killed command has left go with the next', async () => {
      const words = tsbuild.commandLine(['run', ...flags, base, 'sh', '-c', 'echo up; sleep 1000']);
      const outcome = await run(words, {
        env: tsbuild.env,
        cwd: tsbuild.folder,
        said: (output, pid) => void (output.includes('up\n') && process.kill(pid, 'SIGKILL')),
      });
      expect(outcome.signal).toBe('SIGKILL');
      expect(await processesGone(tsbuild.folder)).toEqual([]);
      expect(groups()).not.toEqual([]);
      await tsbuild.must(['run', ...flags, base, 'true']);
      expect(groups()).toEqual([]);
    });

    it('refuse what the machine does not have', async () => {
      if (!held.includes('cpuset')) return void console.warn('skipped: no group can choose processors here');
      const outcome = await tsbuild.run(['run', '--cpuset-cpus=4000', base, 'true']);
      expect(outcome.code).toBe(1);
      expect(outcome.stderr).toContain('--cpuset-cpus: the kernel refuses 4000 in cpuset.cpus');
    });
  },
);

function keep(files: Map<string, string>, path: string, name: string): void {
  try {
    files.set(name, readFileSync(path, 'utf8').trim());
  } catch {
    // A group of another controller.
  }
}
