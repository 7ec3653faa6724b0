import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { mountsBelow, processesGone, processesWith } from '../support/processes.ts';
import { type Outcome, run } from '../support/programs.ts';
import { has, isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const base = 'localhost/tsbuild-test/busybox:1';
const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];
const engines = ['builtin', 'crun', 'runc'].filter((name) => name === 'builtin' || has(name));
/** With which flags steps run; for root the last would show nothing new. */
const waysOf = (who: Who): (readonly [string, readonly string[]])[] => [
  ...engines.map((name) => [name, [`--runtime=${name}`]] as const),
  ...(who === 'root' ? [] : [['builtin, owners recorded', ['--isolation=single']] as const]),
];
/** Far more than the builder ever needs, and less than it would have if it kept what the step says. */
const MUCH_KB = 400_000;
const MANY_BYTES = 100_000_000;

describe.skipIf(skip('steps that are stopped', { programs: ['busybox'] })).each(people)('as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, [await busyboxBase()]);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  const wordsFor = async (step: string, flags: readonly string[]): Promise<string[]> => {
    const context = join(tsbuild.folder, `context-${readdirSync(tsbuild.folder).length}`);
    mkdirSync(context);
    writeFileSync(join(context, 'Containerfile'), `FROM ${base}\n${step}\n`);
    await tsbuild.give(context);
    return ['build', '--no-cache', '--progress=plain', ...flags, context];
  };
  const build = async (
    step: string,
    flags: readonly string[],
    said: (output: string, pid: number) => void,
  ): Promise<Outcome> => {
    const words = await wordsFor(step, flags);
    return await run(tsbuild.commandLine(words), { env: tsbuild.env, cwd: tsbuild.folder, said });
  };
  const expectNothingLeft = async (): Promise<void> => {
    expect(await processesGone(tsbuild.folder)).toEqual([]);
    expect(mountsBelow(tsbuild.folder)).toEqual([]);
  };

  describe.each(waysOf(who))('%s', (_, flags) => {
    // The helper outside is a child of the builder as well, where there is one.
    it.each([0, 1, 2])(
      'nothing is left when a process around the step is killed (%i below the builder)',
      async (depth) => {
        let victims: string[] = [];
        const outcome = await build('RUN echo up; sleep 100 & sleep 30', flags, (output, pid) => {
          if (victims.length > 0 || !/\bup$/m.test(output)) return;
          victims = line(childrenOf(String(pid)).filter(isStep)[0]!)[depth] ?? [];
          for (const victim of victims) process.kill(Number(victim), 'SIGKILL');
        });
        expect(victims).not.toEqual([]);
        expect(outcome.code, outcome.stderr).toBe(1);
        await expectNothingLeft();
      },
    );

    it.skipIf(who === 'root')(
      'a build whose helper outside was killed goes on, and leaves nothing',
      async () => {
        let helper: string | undefined;
        const outcome = await build('RUN echo up; sleep 0.2; echo still', flags, (output, pid) => {
          if (helper !== undefined || !/\bup$/m.test(output)) return;
          helper = helperOf(String(pid));
          if (helper !== undefined) process.kill(Number(helper), 'SIGKILL');
        });
        expect(helper).toBeDefined();
        expect(outcome.code, outcome.stderr).toBe(0);
        await expectNothingLeft();
      },
    );

    it('SIGTERM ends a step that heeds nothing, and what left its session', async () => {
      let sent = false;
      const step = `RUN trap '' INT TERM HUP; (setsid sleep 100 &); echo up; sleep 30; sleep 30`;
      const outcome = await build(step, flags, (output, pid) => {
        if (!sent && /\bup$/m.test(output)) sent = process.kill(pid, 'SIGTERM');
      });
      expect(outcome.code, outcome.stderr).toBe(143);
      await expectNothingLeft();
    });

    it('a step that says things for ever ends with an interrupt, and fills no memory', async () => {
      const words = await wordsFor('RUN yes "$(printf %02000d 0)"', flags);
      const [program, ...args] = tsbuild.commandLine(words);
      const child = spawn(program!, args, {
        env: tsbuild.env,
        cwd: tsbuild.folder,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let bytes = 0;
      let most = 0;
      child.stderr.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (most > 0 || bytes < MANY_BYTES) return;
        most = Number(/^VmHWM:\s*(\d+)/m.exec(read(`/proc/${child.pid}/status`))![1]);
        child.kill('SIGINT');
      });
      const code = await new Promise((resolve) => child.once('close', resolve));
      expect(code).toBe(130);
      expect(most).toBeLessThan(MUCH_KB);
      await expectNothingLeft();
    });
  });

  it.skipIf(who === 'user' || skip('the rung `chroot`', { root: true }))(
    'an interrupt ends a step that has no namespace, and all that it started',
    async () => {
      const mark = `7${process.pid}${Date.now()}`;
      let isUp = false;
      const step = `RUN (trap "" INT TERM; setsid sleep ${mark}) & echo up; sleep ${mark}`;
      const outcome = await build(step, ['--isolation=chroot'], (output, pid) => {
        if (isUp || !/\bup$/m.test(output)) return;
        isUp = true;
        process.kill(pid, 'SIGINT');
      });
      expect(outcome.code, outcome.stderr).toBe(130);
      expect(processesWith(mark)).toEqual([]);
      await expectNothingLeft();
    },
  );
});

/** The helper outside of the namespaces; real root has none. */
function helperOf(pid: string): string | undefined {
  return childrenOf(pid).find((child) => !isStep(child));
}

/** The process, its children, and theirs. */
function line(first: string): string[][] {
  const levels = [[first]];
  while (levels.at(-1)!.length > 0) levels.push(levels.at(-1)!.flatMap(childrenOf));
  return levels;
}

/** Any child of the builder but the helper outside. */
function isStep(pid: string): boolean {
  return !read(`/proc/${pid}/cmdline`).includes('outside.sh');
}

/** Of all its threads: runc's start processes from any. */
function childrenOf(pid: string): string[] {
  const threads = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
  return threads.flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
