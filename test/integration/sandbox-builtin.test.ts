import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtinEngine, type Supervision } from '../../builder/sandbox/builtin.ts';
import { isOverlayRefusal } from '../../builder/sandbox/overlay-mount.ts';
import type { Exit, Mount, SandboxPlan } from '../../builder/sandbox/plan.ts';
import { takeDescriptor } from '../../src/sys/pidfd.ts';
import { run } from '../support/programs.ts';
import type { Job, JobResult } from '../support/sandbox-driver.ts';
import { layOutTree, SandboxPlace } from '../support/sandbox-place.ts';
import { skip } from '../support/skips.ts';

const needs = { root: true, programs: ['unshare', 'setpriv', 'busybox', 'sleep'] };

describe.skipIf(skip('the built-in engine', needs))('the built-in engine', () => {
  let place: SandboxPlace;

  beforeAll(async () => {
    place = await SandboxPlace.make();
  });

  afterAll(() => place?.remove());

  interface Outcome extends Exit {
    readonly stdout: string;
    readonly stderr: string;
  }

  /** Runs a script in this very process, as real root. */
  async function perform(
    script: string,
    plan: Partial<SandboxPlan> = {},
    options: { readonly supervision?: Supervision; readonly work?: string } = {},
  ): Promise<Outcome> {
    const scratch = mkdtempSync(join(place.work('root'), 'step-'));
    const [upper, work, own] = ['upper', 'work', 'own'].map((name) => join(scratch, name)) as [
      string,
      string,
      string,
    ];
    for (const path of [upper, work, own]) mkdirSync(path, { mode: 0o755 });
    const seen = { stdout: '', stderr: '' };
    const whole: SandboxPlan = {
      ...{ root: { lower: [place.root], upper, work: options.work ?? work }, mounts: [], hostname: 'step' },
      ...{ network: 'host', hosts: [], insecure: false, ulimits: [], ...plan },
      process: {
        ...{ args: ['/bin/sh', '-c', script], env: ['PATH=/bin'], cwd: '/', uid: 0, gid: 0, groups: [] },
        ...{ terminal: false, ...plan.process },
      },
    };
    const take = (name: 'stdout' | 'stderr') => (chunk: Buffer) => {
      seen[name] += chunk.toString();
    };
    const io = {
      stdin: 'empty' as const,
      stdout: take('stdout'),
      stderr: take('stderr'),
    };
    const engine = builtinEngine(
      options.supervision === undefined ? {} : { supervision: options.supervision },
    );
    const exit = await engine.run(whole, io, own, new AbortController().signal);
    return { ...exit, ...seen };
  }

  it('says that the overlay was refused, and nothing else is', async () => {
    const elsewhere = mkdtempSync('/dev/shm/tsbuild-work-');
    const refused = await perform('true', {}, { work: elsewhere }).catch((error) => error);
    const root = { lower: ['/nope-at-all', place.root], upper: '/nope-at-all/u', work: '/nope-at-all/w' };
    const absent = await perform('true', { root }).catch((error) => error);
    rmSync(elsewhere, { recursive: true });
    expect([isOverlayRefusal(refused), refused.code]).toEqual([true, 'sandbox']);
    expect([isOverlayRefusal(absent), absent.code]).toEqual([false, 'sandbox']);
    expect(absent.message).toContain('could not mount the overlay: no such file or directory');
  });

  it('says which working directory is missing', async () => {
    const process = {
      args: ['/bin/true'],
      env: [],
      cwd: '/not/there',
      uid: 0,
      gid: 0,
      groups: [],
      terminal: false,
    } as const;
    await expect(perform('', { process })).rejects.toMatchObject({
      code: 'sandbox',
      message: expect.stringContaining(
        'could not go to the working directory /not/there: no such file or directory',
      ),
    });
  });

  it.each(['/proc/self/fd/3', '/proc/1/root', '/proc/self/cwd'])(
    'goes nowhere by a link of /proc: %s',
    async (cwd) => {
      const process = {
        args: ['/bin/ls'],
        env: [],
        cwd,
        uid: 0,
        gid: 0,
        groups: [],
        terminal: false,
      } as const;
      await expect(perform('', { process })).rejects.toMatchObject({ code: 'sandbox' });
    },
  );

  it.each(['proc', 'sys', 'dev'])('mounts nothing on a link in the place of /%s', async (name) => {
    const top = join(place.work('root'), 'top');
    layOutTree(top, { [name]: { link: '../../../../tmp' } }, { uid: 0, gid: 0 });
    const folder = mkdtempSync(join(place.work('root'), 'step-'));
    for (const part of ['upper', 'work']) mkdirSync(join(folder, part));
    const root = { lower: [top, place.root], upper: join(folder, 'upper'), work: join(folder, 'work') };
    await expect(perform('true', { root })).rejects.toThrow(`/${name} of the image is no directory`);
  });

  it('enters the network namespace of the build', async () => {
    const holder = spawn('unshare', ['--net', 'sleep', '1000'], { stdio: 'ignore' });
    try {
      const path = `/proc/${holder.pid}/ns/net`;
      while (readlinkSync(path) === readlinkSync('/proc/self/ns/net'))
        await new Promise((done) => setImmediate(done));
      const shown = await perform('readlink /proc/self/ns/net; ls /sys/class/net', {
        network: 'private',
        networkNamespace: path,
      });
      expect(shown.stdout).toBe(`${readlinkSync(path)}\nlo\n`);
    } finally {
      holder.kill('SIGKILL');
    }
  });

  it('enters a control group', async () => {
    const folder = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup']
      .map((parent) => join(parent, `tsbuild-${process.pid}`))
      .find(made);
    if (folder === undefined) return void console.warn('skipped: no control group can be made here');
    try {
      const { stdout } = await perform("grep '^0:' /proc/self/cgroup", { cgroups: [folder] });
      expect(stdout).toMatch(new RegExp(`^0::.*/tsbuild-${process.pid}\n$`));
    } finally {
      rmdirSync(folder);
    }
  });

  it('hands the listener of recorded ids on before the command runs, and takes no ids', async () => {
    const seen: string[] = [];
    const supervision: Supervision = {
      rules: [{ names: ['fchownat', 'lchown', 'chown', 'fchown'], action: 'notify' }],
      async supervise({ pid, descriptor, plan }) {
        const listener = takeDescriptor(pid, descriptor);
        seen.push(readlinkSync(`/proc/self/fd/${listener}`), String(plan.process.uid));
        // Nobody listens any more: the calls answer ENOSYS, which shows that they were asked.
        closeSync(listener);
      },
    };
    const process = { args: ['/bin/sh', '-c', 'id -u; chown 5 /bin/sh'], env: ['PATH=/bin'], cwd: '/' };
    const step = { ...process, uid: 1000, gid: 1000, groups: [], terminal: false as const };
    const outcome = await perform('', { ids: 'recorded', process: step }, { supervision });
    expect(seen).toEqual(['anon_inode:seccomp notify', '1000']);
    expect(outcome).toMatchObject({
      stdout: '0\n',
      code: 1,
      stderr: expect.stringMatching(/not implemented/i),
    });
  });

  it('ends a step whose supervisor fails, with its reason', async () => {
    const reason = new Error('cannot listen');
    const supervision: Supervision = { rules: [], supervise: () => Promise.reject(reason) };
    await expect(perform('echo ran', { ids: 'recorded' }, { supervision })).rejects.toBe(reason);
  });

  async function drive(around: readonly string[], ...jobs: readonly Job[]): Promise<JobResult[]> {
    const command = [...around, 'sh', ...place.command('user', 'builtin', jobs)];
    const outcome = await run(command, { env: place.environment(), cwd: '/' });
    if (outcome.code !== 0) throw new Error(outcome.stderr);
    return outcome.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as JobResult);
  }

  function job(
    script: string,
    { process = {}, ...plan }: { process?: object } & Partial<Omit<SandboxPlan, 'process'>> = {},
  ): Job {
    const usual = {
      args: ['/bin/sh', '-c', script],
      env: ['PATH=/bin'],
      cwd: '/',
      uid: 0,
      gid: 0,
      groups: [],
    };
    return {
      lower: [place.root],
      plan: {
        ...{
          mounts: [],
          hostname: 'step',
          network: 'host',
          hosts: [],
          insecure: false,
          ulimits: [],
          ...plan,
        },
        process: { ...usual, terminal: false, ...process },
      },
    };
  }

  it('runs where no file in memory may be executed, and keeps secrets off the disk there too', async () => {
    const set = 'echo 2 >/proc/sys/vm/memfd_noexec && exec "$@"';
    const mounts = [
      { kind: 'file' as const, content: Buffer.from('hidden\n'), target: '/x', mode: 0o444, uid: 0, gid: 0 },
    ];
    const around = ['unshare', '--pid', '--fork', '--mount-proc', 'sh', '-c', set];
    expect(await drive(around, job('cat /x', { mounts }))).toMatchObject([{ stdout: 'hidden\n', code: 0 }]);
  });

  it('runs where only one id exists', async () => {
    const as = place.as('user');
    const around = [...as, 'unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', 'exec "$@"'];
    const words = place.command('user', 'builtin', [
      job('id -u; stat -c %g /dev/pts/ptmx', { ids: 'recorded' }),
    ]);
    const outcome = await run([...around, 'sh', ...words.slice(as.length)], {
      env: place.environment(),
      cwd: '/',
    });
    expect(JSON.parse(outcome.stdout), outcome.stderr).toMatchObject({ stdout: '0\n0\n', code: 0 });
  });

  describe('where parts of /proc are hidden', () => {
    const around = ['unshare', '--mount', 'sh', '-c', 'mount --bind /dev/null /proc/timer_list && exec "$@"'];

    it('has the right host name, ids and owners', async () => {
      const script = 'cat /proc/sys/kernel/hostname; id -u; id -G; echo >/x; chown 5:6 /x; stat -c %u:%g /x';
      expect(await drive(around, job(script))).toMatchObject([{ stdout: 'step\n0\n0\n5:6\n', code: 0 }]);
    });

    it('takes other ids', async () => {
      const process = { args: ['/bin/id'], uid: 1000, gid: 1001, groups: [7] };
      const [shown] = await drive(around, job('', { process }));
      expect(shown!.stdout).toMatch(/^uid=1000 gid=1001 groups=7,?/);
    });

    it('shows processes outside, but no variable of the builder and of a step beside', async () => {
      const shared = place.work('user');
      const mounts: Mount[] = [{ kind: 'bind', source: shared, target: '/rw', readonly: false }];
      const env = ['PATH=/bin', 'SECRET_OF_A_STEP=must not leak'];
      const waits = 'touch /rw/runs; while ! test -e /rw/done; do sleep 0.05; done';
      const looks = [
        'while ! test -e /rw/runs; do sleep 0.05; done; ls -d /proc/[0-9]* | wc -l',
        'cat /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n" | grep SECRET',
        'touch /rw/done',
      ];
      const steps = [job(waits, { mounts, process: { env } }), job(looks.join('; '), { mounts })];
      const [, looked] = await drive(around, ...steps.map((one) => ({ ...one, together: true })));
      const [processes, ...found] = looked!.stdout.split('\n');
      expect(Number(processes)).toBeGreaterThan(5);
      expect(found).toEqual(['']);
    });
  });
});

function made(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
