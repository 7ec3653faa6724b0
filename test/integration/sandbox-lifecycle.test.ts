import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/programs.ts';
import type { Job } from '../support/sandbox-driver.ts';
import { layOutTree, SandboxPlace, type Who, type Within } from '../support/sandbox-place.ts';
import { skip } from '../support/skips.ts';

const needs = { root: true, programs: ['unshare', 'setpriv', 'busybox', 'script'] };

describe.skipIf(skip('the life of a step', needs))('the life of a step', () => {
  let place: SandboxPlace;

  beforeAll(async () => {
    place = await SandboxPlace.make();
  });

  afterAll(() => place?.remove());

  describe.each([
    ['builtin', 'root'],
    ['builtin', 'user'],
    ['crun', 'root'],
    ['crun', 'user'],
    ['runc', 'root'],
    ['runc', 'user'],
  ] as const)('%s as %s', (engine, who) => {
    if (skip(`the engine ${engine}`, { programs: engine === 'builtin' ? [] : [engine] })) return;
    describe.each(['abort', 'die'] as const)('%s', (then) => {
      it.each([
        ['a process that ignores signals', 'trap "" TERM INT HUP; sleep MARK & sleep 0.2; echo go; wait', 0],
        [
          'a daemon that left the session',
          '(setsid sh -c "trap \\"\\" TERM; sleep MARK" &) ; sleep 0.2; echo go; sleep MARK',
          0,
        ],
        [
          'a setuid program as the first process',
          'exec /bin/rootsh -p -c "/bin/rootsleep MARK & /bin/rootsleep 0.2; echo go; wait"',
          1000,
        ],
      ])('ends %s', async (_, script, uid) => {
        const mark = `7${process.pid}${Math.floor(Math.random() * 1e6)}`;
        const outcome = await place.start(who, engine, [
          { ...job(place, who, script.replaceAll('MARK', mark), uid), when: { says: 'go', then } },
        ]);
        if (then === 'abort') expect(outcome.stdout).toContain('aborted by the test');
        else expect(outcome.signal).toBe('SIGKILL');
        if (then === 'die') await untilGone(mark);
        expect(processesWith(mark)).toEqual([]);
        expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(place.folder);
      });
    });

    it('ends with SIGTERM to nobody but the builder', async () => {
      const mark = `7${process.pid}${Math.floor(Math.random() * 1e6)}`;
      const jobs = [job(place, who, `echo go; sleep ${mark}`, 0)];
      const [program, ...args] = place.command(who, engine, jobs);
      const child = spawn(program!, args, { env: place.environment(), stdio: 'ignore' });
      const ended = new Promise<NodeJS.Signals | null>((resolve) =>
        child.once('exit', (__, signal) => resolve(signal)),
      );
      await until(() => processesWith(mark).length > 0);
      child.kill('SIGTERM');
      expect(await ended).toBe('SIGTERM');
      await untilGone(mark);
    });

    it('hands over no descriptor of the invoking shell and no variable', async () => {
      const look = 'ls /proc/self/fd | tr "\\n" " "; cat /proc/1/environ /proc/self/environ | tr "\\0" "\\n"';
      const words = place.command(who, engine, [job(place, who, look, 0)]);
      const outcome = await run(['sh', '-c', 'exec 9</etc/passwd 8>/dev/null; exec "$@"', 'sh', ...words], {
        env: place.environment(),
      });
      const { stdout } = JSON.parse(outcome.stdout) as { stdout: string };
      expect(stdout).toMatch(/^0 1 2 3 /);
      expect(stdout).not.toMatch(/^[^\n]* [89] /);
      expect(stdout).not.toContain('must not leak');
      expect(stdout).not.toContain('TSBUILD');
    });

    it('gives a process our terminal, in the size asked for', async () => {
      const look = 'test -t 0 && test -t 1 && echo both; tty; /usr/bin/stty size';
      const jobs = [{ ...job(place, who, look, 0), inherit: true }];
      const terminal: Job[] = jobs.map((one) => ({
        ...one,
        plan: { ...one.plan, process: { ...one.plan.process, terminal: { rows: 33, columns: 99 } } },
      }));
      const words = place.command(who, engine, terminal).map((word) => `'${word}'`);
      // runc goes by the size of our own terminal.
      const command = `stty rows 33 cols 99; ${words.join(' ')}`;
      const outcome = await run(['script', '-qec', command, '/dev/null'], {
        env: place.environment(),
      });
      // script(1) answers the end of its input with a NUL, which the terminal may echo anywhere.
      const said = outcome.stdout.replaceAll('^@', '');
      expect(said).toMatch(/both\r?\n\/dev\/(console|pts\/0)\r?\n33 99\r?\n/);
    });
  });

  describe('without a pid namespace', () => {
    const within: Within = (command) => [...command, '--isolation=chroot'];
    const stubborn = 'trap "" TERM INT HUP; sleep MARK & (setsid sh -c "trap \\"\\" TERM; sleep MARK" &)';

    async function perform(script: string, when?: Job['when']) {
      const mark = `7${process.pid}${Math.floor(Math.random() * 1e6)}`;
      const made = job(place, 'root', script.replaceAll('MARK', mark), 0);
      const plan = { ...made.plan, mounts: [] };
      const one = { ...made, plan, copied: true, ...(when !== undefined && { when }) };
      return { mark, outcome: await place.start('root', 'builtin', [one], within) };
    }

    it.each([
      ['the command has ended', `${stubborn}; echo go`, 0],
      [
        'the command has made many, that go on making more',
        `${stubborn}; (i=0; while [ $i -lt 99 ]; do (sleep MARK &); sleep 0.01; i=$((i+1)); done) & sleep 0.3`,
        0,
      ],
      ['the process that waits for the command was killed', `${stubborn}; kill -9 $PPID; sleep MARK`, 137],
    ])('leaves none when %s', async (_, script, code) => {
      const { mark, outcome } = await perform(script);
      expect(JSON.parse(outcome.stdout)).toMatchObject({ code });
      expect(processesWith(mark)).toEqual([]);
    });

    it.each(['abort', 'die'] as const)('leaves none on %s', async (then) => {
      const { mark, outcome } = await perform(`${stubborn}; sleep 0.2; echo go; wait`, { says: 'go', then });
      if (then === 'abort') expect(outcome.stdout).toContain('aborted by the test');
      else expect(outcome.signal).toBe('SIGKILL');
      if (then === 'die') await untilGone(mark);
      expect(processesWith(mark)).toEqual([]);
    });
  });
});

function job(place: SandboxPlace, who: Who, script: string, uid: number): Job {
  const top = join(place.work(who), 'top');
  const owner = who === 'root' ? { uid: 0, gid: 0 } : place.ids;
  layOutTree(top, { lib: { link: 'usr/lib' }, lib64: { link: 'usr/lib64' } }, owner);
  mkdirSync(join(top, 'bin'));
  for (const [name, from] of [
    ['rootsh', '/bin/bash'],
    ['rootsleep', '/bin/sleep'],
  ] as const) {
    copyFileSync(from, join(top, 'bin', name));
  }
  layOutTree(top, {}, owner);
  for (const name of ['rootsh', 'rootsleep']) chmodSync(join(top, 'bin', name), 0o4755);
  return {
    plan: {
      mounts: [{ kind: 'bind', source: '/usr', target: '/usr', readonly: true }],
      process: {
        args: ['/bin/sh', '-c', script],
        env: ['PATH=/bin'],
        cwd: '/',
        uid,
        gid: uid,
        groups: [],
        terminal: false,
      },
      hostname: 'buildkitsandbox',
      network: 'host',
      hosts: [],
      insecure: false,
      ulimits: [],
    },
    lower: [top, place.root],
  };
}

/** Ids of processes with `mark` as an argument. */
function processesWith(mark: string): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').slice(1).includes(mark);
    } catch {
      return false;
    }
  });
}

/** Waits for the kernel to end them; the test's own limit is the only clock. */
async function untilGone(mark: string): Promise<void> {
  await until(() => processesWith(mark).length === 0);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}
