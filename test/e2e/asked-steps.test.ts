import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase, relabelledBase } from '../support/base-images.ts';
import type { Outcome } from '../support/programs.ts';
import { has, isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

/** What the command line says of steps and of the image besides what the file says. */

const base = 'localhost/tsbuild-test/busybox:1';
const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];

describe.skipIf(skip('what the command line asks of steps', { programs: ['busybox'] })).each(people)(
  'as %s',
  (who) => {
    let tsbuild: AsyncDisposable & Tsbuild;
    let count = 0;
    beforeAll(async () => {
      tsbuild = await newTsbuild(who);
      await loadBases(tsbuild, [await busyboxBase(), await relabelledBase()]);
    });
    afterAll(() => tsbuild?.[Symbol.asyncDispose]());

    const build = async (file: string, ...flags: readonly string[]): Promise<Outcome> => {
      const context = join(tsbuild.folder, `context-${count++}`);
      mkdirSync(context);
      writeFileSync(join(context, 'Containerfile'), file);
      await tsbuild.give(context);
      const outcome = await tsbuild.run(['build', '--progress', 'plain', ...flags, context]);
      expect(outcome.code, outcome.stderr).toBe(0);
      return outcome;
    };
    const inspect = async (name: string) =>
      (JSON.parse(await tsbuild.must(['inspect', name])) as readonly Inspected[])[0]!;

    const engines = ['builtin', ...(who === 'root' && has('crun') ? ['crun'] : [])];
    describe.each(engines)('%s', (runtime) => {
      const asked = async (step: string, ...flags: readonly string[]): Promise<string> =>
        (await build(`FROM ${base}\nRUN ${step}\n`, '--runtime', runtime, '--no-cache', ...flags)).stderr;

      it('gives and takes capabilities', async () => {
        const status = `grep CapBnd /proc/self/status`;
        const usual = 0xa80425fbn;
        const of = async (...flags: readonly string[]) =>
          BigInt(`0x${/CapBnd:\s*([0-9a-f]+)/.exec(await asked(status, ...flags))![1]}`);
        expect(await of()).toBe(usual);
        expect(await of('--cap-drop', 'MKNOD,chown', '--cap-add=SYS_ADMIN')).toBe(
          (usual & ~(1n << 27n) & ~1n) | (1n << 21n),
        );
        expect(await of('--cap-drop=ALL', '--cap-add=CAP_KILL')).toBe(1n << 5n);
        expect(await of('--cap-drop=ALL')).toBe(0n);
      });

      it('lets a step make every system call, and none gain rights', async () => {
        const status = `grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status`;
        expect(await asked(status)).toMatch(/NoNewPrivs:\s*0[\s\S]*Seccomp:\s*2/);
        const changed = await asked(status, '--security-opt=seccomp=unconfined');
        expect(changed).toMatch(/NoNewPrivs:\s*0[\s\S]*Seccomp:\s*0/);
        const none = await asked(status, '--security-opt=no-new-privileges');
        expect(none).toMatch(/NoNewPrivs:\s*1[\s\S]*Seccomp:\s*2/);
      });

      it('shows volumes, protected, dropped or changed', async () => {
        const folder = join(tsbuild.folder, `volume-${runtime}`);
        mkdirSync(folder);
        writeFileSync(join(folder, 'given'), 'from here\n');
        await tsbuild.give(folder);
        const flags = [`${folder}:/ro:ro`, `${folder}:/rw`, `${folder}:/o:O`, `${folder}/given:/one`];
        const step =
          'cat /ro/given /one; ! touch /ro/x && touch /o/dropped && ls /o && touch /rw/kept && ls /ro';
        const stderr = await asked(
          step,
          ...flags.flatMap((volume) => ['-v', volume]),
          '-t',
          `volumes-${runtime}`,
        );
        expect(stderr.match(/^#\d+ [\d.]+ from here$/gm), stderr).toHaveLength(2);
        expect(stderr).toMatch(/dropped/);
        expect(existsSync(join(folder, 'kept'))).toBe(true);
        expect(existsSync(join(folder, 'dropped'))).toBe(false);
        const files = await tsbuild.must(['run', `volumes-${runtime}`, 'ls', '/']);
        expect(files).not.toMatch(/^(ro|rw|o|one)$/m);
      });
    });

    it('makes a step again for another volume or other rights, and for nothing that is in a volume', async () => {
      const file = `FROM ${base}\nRUN echo was run\n`;
      const folder = join(tsbuild.folder, 'contents');
      mkdirSync(folder);
      const cached = async (...flags: readonly string[]) =>
        !/^#\d+ [\d.]+ was run$/m.test((await build(file, ...flags)).stderr);
      const volume = ['-v', `${folder}:/v`];
      expect(await cached(...volume)).toBe(false);
      writeFileSync(join(folder, 'new'), '');
      expect(await cached(...volume)).toBe(true);
      expect(await cached('-v', `${folder}:/v:ro`)).toBe(false);
      expect(await cached()).toBe(false);
      expect(await cached('--cap-add', 'SYS_ADMIN')).toBe(false);
      expect(await cached('--security-opt', 'label=disable')).toBe(true);
    });

    it('begins every stage with variables, and leaves the image without others', async () => {
      const file = [
        `FROM ${base} AS first`,
        'RUN echo "first: $GREETING $KEPT"',
        'ENV GREETING=changed',
        'FROM first',
        'RUN echo "second: $GREETING $KEPT"',
        'LABEL greeting=$GREETING',
      ].join('\n');
      const flags = ['--env', 'GREETING=hi $HOME "you"', '--env=KEPT=1', '--unsetenv', 'KEPT', '-t', 'env'];
      const { stderr } = await build(file, ...flags, '--no-cache');
      expect(stderr).toContain('first: hi $HOME "you" 1');
      expect(stderr).toContain('second: hi $HOME "you" 1');
      const { Config } = await inspect('env');
      expect(Config.Env).toEqual(['PATH=/bin:/usr/bin', 'GREETING=hi $HOME "you"']);
      expect(Config.Labels).toEqual({ greeting: 'hi $HOME "you"' });
      const history = await tsbuild.must(['history', '--format', 'json', 'env']);
      expect(history).toContain(JSON.stringify('ENV GREETING=hi $HOME "you" KEPT=1').slice(1, -1));
    });

    it('starts the first stage from another image, and no other', async () => {
      const other = 'localhost/tsbuild-test/relabelled:1';
      const file = `ARG BASE\nFROM $BASE AS one\nRUN touch /one\nFROM ${base}\nCOPY --from=one /one /\n`;
      const flags = ['--from', other, '--target', 'one', '-t', 'from'];
      expect((await build(file, ...flags)).stderr).toContain(`FROM ${other} AS one`);
      expect((await inspect('from')).Config.Labels).toEqual({ new: 'yes' });
      await build(file, '--from', other, '-t', 'from');
      expect((await inspect('from')).Config.Labels).toBeUndefined();
    });

    it('names what it made in files', async () => {
      const [digest, names, tags] = ['digest', 'names', 'tags'].map((name) => join(tsbuild.folder, name));
      const archive = join(tsbuild.folder, 'named');
      await build(
        `FROM ${base}\nENV named=1\n`,
        ...['--digest-file', digest!, '--image-name-with-digest-file', names!, '-t', 'r.example/a/b:1'],
        ...['--image-name-tag-with-digest-file', tags!, '-o', `type=oci,tar=false,dest=${archive}`],
      );
      const index = JSON.parse(readFileSync(join(archive, 'index.json'), 'utf8')) as Index;
      const told = readFileSync(digest!, 'utf8');
      expect(told).toBe(index.manifests[0]!.digest);
      expect(readFileSync(names!, 'utf8')).toBe(`r.example/a/b@${told}\n`);
      expect(readFileSync(tags!, 'utf8')).toBe(`r.example/a/b:1@${told}\n`);
      await build(`FROM ${base}\nENV named=1\n`, '--digest-file', digest!);
      expect(readFileSync(digest!, 'utf8')).toBe(told);
    });
  },
);

interface Inspected {
  readonly Config: { readonly Env: readonly string[]; readonly Labels?: Readonly<Record<string, string>> };
}

interface Index {
  readonly manifests: readonly { readonly digest: string }[];
}
