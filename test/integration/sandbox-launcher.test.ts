import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HostPlace, hostPlaces, inHostPlace, placePrograms } from '../support/host-place.ts';
import type { OutsideJob } from '../support/outside-driver.ts';
import { type Outcome, run } from '../support/programs.ts';
import { bundle, SandboxPlace } from '../support/sandbox-place.ts';
import { skip } from '../support/skips.ts';

interface Start {
  readonly place: {
    readonly isolation: string;
    readonly uid: number;
    readonly outside?: string;
    readonly why?: string;
  };
  readonly uid: number;
  readonly pid: number;
}

describe.skipIf(skip('the launcher', { root: true, programs: ['unshare', 'setpriv', 'newuidmap', 'git'] }))(
  'the launcher',
  () => {
    let place: SandboxPlace;
    let folder: string;
    let runtimeDir: string;
    let programs: string;

    beforeAll(async () => {
      place = await SandboxPlace.make();
      folder = join(place.folder, 'other');
      for (const name of [folder, join(folder, 'dist'), join(folder, 'fake')]) mkdirSync(name);
      for (const name of ['bin', 'node_modules'])
        cpSync(join(place.folder, name), join(folder, name), { recursive: true });
      copyFileSync(join(place.folder, 'package.json'), join(folder, 'package.json'));
      await bundle('outside-driver.ts', join(folder, 'dist/cli.js'));
      symlinkSync('../bin/tsbuild', join(folder, 'dist/tsbuild'));
      programs = join(folder, 'fake');
      program('podman', 'exec sleep "$1"');
      program(
        'docker-credential-test',
        'read -r host; echo "for $host by $(id -u) with $NODE_EXTRA_CA_CERTS"; echo warn >&2; exit 3',
      );
      runtimeDir = place.work('user');
    });

    afterAll(() => place?.remove());

    function program(name: string, script: string): void {
      writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(programs, name), 0o755);
    }

    /** Starts the command as the ordinary user through npm's kind of symlink; `first` goes before PATH. */
    async function start(jobs: readonly OutsideJob[], first = programs): Promise<Outcome> {
      const file = join(place.work('user'), 'jobs.json');
      writeFileSync(file, JSON.stringify(jobs));
      chmodSync(file, 0o644);
      const env = {
        ...place.environment(),
        XDG_RUNTIME_DIR: runtimeDir,
        NODE_EXTRA_CA_CERTS: '/authorities',
        PATH: `${first}:${process.env.PATH}`,
      };
      return await run([...place.as('user'), join(folder, 'dist/tsbuild'), file], { env, cwd: '/' });
    }

    async function answers(
      jobs: readonly OutsideJob[],
    ): Promise<{ code?: number; stdout: string; stderr: string; bytes: number; error?: string }[]> {
      const outcome = await start(jobs);
      expect(outcome.code, outcome.stderr).toBe(0);
      return outcome.stdout
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => JSON.parse(line));
    }

    function first(outcome: Outcome): Start {
      return JSON.parse(outcome.stdout.split('\n')[0]!) as Start;
    }

    it('makes an ordinary user root of a namespace, and records who it was', async () => {
      const told = first(await start([]));
      expect(told.uid).toBe(0);
      expect(told.place).toMatchObject({ isolation: 'subuid', uid: place.ids.uid });
      expect(told.place.outside).toContain(runtimeDir);
    });

    it('keeps its pid', async () => {
      let started = 0;
      const file = join(place.work('user'), 'none.json');
      writeFileSync(file, '[]');
      const outcome = await run([...place.as('user'), join(folder, 'dist/tsbuild'), file], {
        env: place.environment(),
        started: (pid) => {
          started = pid;
        },
      });
      expect(first(outcome).pid).toBe(started);
    });

    it('leaves root as it is', async () => {
      const outcome = await run([join(folder, 'bin/tsbuild')], { env: place.environment() });
      expect(first(outcome).place).toMatchObject({ isolation: 'root', uid: 0 });
      expect(first(outcome).place.outside).toBeUndefined();
    });

    it('makes no namespace where root is told to do without', async () => {
      const outcome = await run([join(folder, 'bin/tsbuild'), '--isolation=chroot'], {
        env: place.environment(),
      });
      expect(first(outcome).place).toMatchObject({ isolation: 'chroot', uid: 0 });
      expect(first(outcome).place.outside).toBeUndefined();
    });

    it('leaves root without a step that it could not end: one of another user', async () => {
      const command = ['setpriv', '--bounding-set=-kill', '--inh-caps=-kill', join(folder, 'bin/tsbuild')];
      const outcome = await run([...command, '--isolation=chroot'], { env: place.environment() });
      expect(first(outcome).place).toMatchObject({
        isolation: 'none',
        why: expect.stringContaining(' KILL,'),
      });
    });

    it('goes on without a namespace where none can be had, and says why', async () => {
      const refused = join(folder, 'refused');
      mkdirSync(refused);
      writeFileSync(
        join(refused, 'unshare'),
        '#!/bin/sh\necho "unshare: unshare failed: Operation not permitted" >&2\nexit 1\n',
      );
      chmodSync(join(refused, 'unshare'), 0o755);
      const told = first(await start([], refused));
      expect(told.uid).toBe(place.ids.uid);
      expect(told.place).toMatchObject({
        isolation: 'none',
        why: 'unshare: unshare failed: Operation not permitted',
      });
    });

    it('has an older unshare’s maps written from outside', async () => {
      const older = join(folder, 'older');
      mkdirSync(older);
      const script = `for word; do [ "$word" = --map-auto ] && { echo "unrecognized option '--map-auto'" >&2; exit 1; }; done
exec /usr/bin/unshare "$@"`;
      writeFileSync(join(older, 'unshare'), `#!/bin/sh\n${script}\n`);
      chmodSync(join(older, 'unshare'), 0o755);
      const told = first(await start([], older));
      expect(told).toMatchObject({ uid: 0, place: { isolation: 'subuid' } });
    });

    it.each([
      [['--isolation=single', '.'], 'single'],
      [['--isolation', 'none', '.'], 'none'],
      [['--isolation=root', '.'], 'none'],
      [['--isolation=rootless', '.'], 'subuid'],
      [['run', '--isolation', 'single', 'image'], 'single'],
      [['run', '--rm', 'image', '--isolation=single', '--help'], 'subuid'],
      [['--root', '/x', 'images'], 'none'],
      [['-t', 'login', '.'], 'subuid'],
      [['build', '--', '--isolation=single'], 'subuid'],
    ])('takes from the words %j the rung %s', async (words, isolation) => {
      const command = [...place.as('user'), join(folder, 'dist/tsbuild'), ...words];
      const told = first(await run(command, { env: place.environment(), cwd: '/' }));
      expect(told.place.isolation).toBe(isolation);
      expect(told.uid).toBe(isolation === 'none' ? place.ids.uid : 0);
    });

    it('gives even root one id alone, where that is asked for', async () => {
      const outcome = await run([join(folder, 'bin/tsbuild'), '--isolation=single'], {
        env: place.environment(),
      });
      expect(first(outcome).place).toMatchObject({ isolation: 'single', uid: 0 });
    });

    it.skipIf(skip('the launcher in places', { root: true, programs: [...placePrograms, 'busybox'] }))(
      'finds another way in, and still runs programs as the person, in places that lack something',
      async () => {
        const file = join(place.work('user'), 'jobs.json');
        const show = ['git', '-c', 'alias.x=!id -u', 'x'];
        writeFileSync(file, JSON.stringify([{ argv: show }]));
        chmodSync(file, 0o644);
        const startIn = async (host: HostPlace): Promise<readonly [string, string]> => {
          const env = place.environment();
          const options = { scratch: folder, user: place.ids, keep: [place.folder], env };
          const outcome = await run(inHostPlace(host, [join(folder, 'bin/tsbuild'), file], options), { env });
          const answer = JSON.parse(outcome.stdout.trim().split('\n')[1]!) as { stdout: string };
          return [first(outcome).place.isolation, answer.stdout.trim()];
        };
        const person = String(place.ids.uid);
        expect(await startIn(hostPlaces['docker-unconfined'])).toEqual(['mapped', '0']);
        expect(await startIn(hostPlaces['no-new-privileges'])).toEqual(['single', person]);
        expect(await startIn(hostPlaces.bare)).toEqual(['single', person]);
        expect(await startIn(hostPlaces.busybox)).toEqual(['subuid', person]);
        expect(await startIn(hostPlaces.restricted)).toEqual(['none', person]);
      },
    );

    it('runs programs as the person, with any bytes in arguments and data', async () => {
      const words = ['a b\n\n', 'c\\0101\'"$(id)`', 'ü', '-e', ''];
      const show = {
        argv: [
          'git',
          '-c',
          'alias.x=!f() { printf "%s|" "$@"; cat; id -u; printf "%s\\n" "$A"; pwd; }; f',
          'x',
          ...words,
        ],
      };
      const [shown, helper] = await answers([
        { ...show, stdin: 'in\0put\n', env: { A: '1 \\n2' }, cwd: '/usr' },
        { argv: ['docker-credential-test', 'get'], stdin: 'registry.example\n' },
      ]);
      expect(shown!.stdout).toBe(`${words.join('|')}|in\0put\n${place.ids.uid}\n1 \\n2\n/usr\n`);
      expect(helper).toMatchObject({
        code: 3,
        stdout: `for registry.example by ${place.ids.uid} with /authorities\n`,
        stderr: 'warn\n',
      });
    });

    it('refuses what is not on its list, and tells what is not installed', async () => {
      const results = await answers([
        { argv: ['sh', '-c', 'echo no'] },
        { argv: ['docker-credential-x/../../bin/sh'] },
        { argv: ['/usr/bin/git'] },
      ]);
      expect(results.map(({ code, stdout }) => [code, stdout])).toEqual([
        [126, ''],
        [126, ''],
        [126, ''],
      ]);
    });

    it('passes big streams, and ends with a program that reads none of them', async () => {
      const [through, early] = await answers([
        { argv: ['git', '-c', 'alias.x=!cat', 'x'], megabytes: 50 },
        { argv: ['git', '-c', 'alias.x=!exit 4', 'x'], megabytes: 50 },
      ]);
      expect(through).toMatchObject({ code: 0, bytes: 50 * 1024 * 1024 });
      expect(early).toMatchObject({ code: 4 });
    });

    it('fails by name once the helper was killed, with what it ran', async () => {
      program('docker-credential-killer', 'kill -9 "$(cut -d " " -f 4 /proc/$PPID/stat)"; sleep 60');
      const [during, after] = await answers([
        { argv: ['docker-credential-killer', 'get'] },
        { argv: ['git', '--version'] },
      ]);
      expect(during).not.toMatchObject({ code: 0 });
      expect(after!.error).toMatch(/helper.*is gone/);
    });

    it('ends a program on request, and all of them with the builder', async () => {
      const mark = `7${process.pid}01`;
      expect(await answers([{ argv: ['podman', mark], abortAfterMs: 200 }])).toEqual([
        { error: 'aborted by the test' },
      ]);
      const outcome = await start([{ argv: ['podman', mark], dieAfterMs: 400 }]);
      expect(outcome.signal).toBe('SIGKILL');
      while (processesWith(mark).length > 0 || readdirSync(runtimeDir).length > 0) await sleep(10);
      expect(existsSync(first(outcome).place.outside!)).toBe(false);
    });
  },
);

function processesWith(mark: string): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').includes(mark);
    } catch {
      return false;
    }
  });
}
