import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { processesGone } from '../support/processes.ts';
import { type Outcome, run } from '../support/programs.ts';
import { has, isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const base = 'localhost/tsbuild-test/busybox:1';
const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];
const engines = ['builtin', 'crun', 'runc'].filter((name) => name === 'builtin' || has(name));

describe.skipIf(skip('secrets', { root: true, programs: ['busybox'] })).each(people)(
  'secrets as %s',
  (who) => {
    let tsbuild: AsyncDisposable & Tsbuild;
    let outside: string;
    const value = `secret-${randomBytes(12).toString('hex')}`;
    beforeAll(async () => {
      tsbuild = await newTsbuild(who);
      await loadBases(tsbuild, [await busyboxBase()]);
      // Beside the store and all that a build writes, which is searched for it.
      outside = join(tsbuild.folder, 'given');
      mkdirSync(outside);
      writeFileSync(join(outside, 'token'), value, { mode: 0o600 });
      await tsbuild.give(outside);
    });
    afterAll(() => tsbuild?.[Symbol.asyncDispose]());

    const commandLine = async (lines: readonly string[], flags: readonly string[]): Promise<string[]> => {
      const context = join(tsbuild.folder, `context-${readdirSync(tsbuild.folder).length}`);
      mkdirSync(context);
      writeFileSync(join(context, 'Containerfile'), [`FROM ${base}`, ...lines, ''].join('\n'));
      await tsbuild.give(context);
      const secret = `id=token,src=${join(outside, 'token')}`;
      return tsbuild.commandLine([
        'build',
        '--no-cache',
        '--progress=plain',
        '--secret',
        secret,
        ...flags,
        context,
      ]);
    };
    const start = async (
      lines: readonly string[],
      flags: readonly string[],
      said: (output: string, pid: number) => void = () => {},
    ): Promise<Outcome> =>
      await run(await commandLine(lines, flags), { env: tsbuild.env, cwd: tsbuild.folder, said });
    /** Files with the value in them, of all that builds have written. */
    const leaks = (): string[] =>
      readdirSync(tsbuild.folder)
        .filter((name) => name !== 'given')
        .flatMap((name) => filesWith(join(tsbuild.folder, name), value));

    describe.each(engines)('%s', (runtime) => {
      const mount = '--mount=type=secret,id=token';
      const variable = '--mount=type=secret,id=token,env=TOKEN';

      it('reach their step and nothing else', async () => {
        let during: string[] | undefined;
        const other =
          'RUN ls /run/secrets 2>&1; env | grep -c TOKEN; for file in /proc/[0-9]*/environ; do cat $file; done';
        const lines = [
          `RUN ${mount} wc -c </run/secrets/token; stat -c "%a %u" /run/secrets/token; cat /run/secrets/token; echo up; sleep 1`,
          `RUN ${variable} echo \${#TOKEN}; echo "$TOKEN"`,
          other,
        ];
        const dest = join(tsbuild.folder, `image-${runtime}`);
        const output = `type=oci,tar=false,compression=uncompressed,dest=${dest}`;
        const outcome = await start(lines, ['--runtime', runtime, '-o', output], (text) => {
          if (during === undefined && /\bup$/m.test(text)) during = [...leaks(), ...processesTelling(value)];
        });
        expect(outcome.code, outcome.stderr).toBe(0);
        expect(outcome.stderr).toMatch(new RegExp(`\\b${value.length}$`, 'm'));
        expect(outcome.stderr).toMatch(/ 400 0$/m);
        expect(outcome.stderr).not.toContain(value);
        expect(outcome.stdout).not.toContain(value);
        expect(during).toEqual([]);
        expect(leaks()).toEqual([]);
        expect(filesWith(dest, 'token')).not.toEqual([]);
      });

      it('are on no disk after a crash', async () => {
        const outcome = await start(
          [`RUN ${mount} cat /run/secrets/token >/dev/null; echo up; sleep 1000`],
          ['--runtime', runtime],
          (output, pid) => void (/\bup$/m.test(output) && process.kill(pid, 'SIGKILL')),
        );
        expect(outcome.signal ?? outcome.code).toBeOneOf(['SIGKILL', 137]);
        expect(await processesGone(tsbuild.folder)).toEqual([]);
        expect(leaks()).toEqual([]);
      });

      it('stay with their own of two steps that run at once', async () => {
        const look = 'sleep 1; ls /run/secrets 2>&1; cat /proc/*/environ | tr "\\0" "\\n" | grep -c secret-';
        const outcome = await start(
          [
            `RUN ${mount} ${variable} sleep 2`,
            `FROM ${base} AS other`,
            `RUN ${look}; true`,
            `FROM ${base}`,
            'COPY --from=0 /etc/motd /a',
            'COPY --from=other /etc/motd /b',
          ],
          ['--runtime', runtime],
        );
        expect(outcome.code, outcome.stderr).toBe(0);
        expect(outcome.stderr).toMatch(/ls: \/run\/secrets: No such file/);
        expect(outcome.stderr).toMatch(/ 0$/m);
      });
    });

    it('of an owner that does not exist here are told by name', async () => {
      if (who === 'root') return;
      const outcome = await start(['RUN --mount=type=secret,id=token,uid=900000 true'], []);
      expect(outcome.stderr).toMatch(/give \/run\/secrets\/token to 900000:0[\s\S]*\/etc\/subuid/);
    });
  },
);

/** Processes but this one that have the value in their arguments or environment. */
function processesTelling(value: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => ['cmdline', 'environ'].map((file) => `/proc/${pid}/${file}`))
    .filter((file) => read(file).includes(value));
}

function filesWith(path: string, value: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => read(file).includes(value));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // It is gone meanwhile, or nobody's to read.
    return '';
  }
}
