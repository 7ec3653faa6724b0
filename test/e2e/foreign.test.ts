import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exitProgram } from '../../builder/sandbox/exit-program.ts';
import { hasOwnHandlers, type TestHandler, withHandlers } from '../support/binfmt.ts';
import { type Outcome, run } from '../support/programs.ts';
import { has, skip } from '../support/skips.ts';
import { newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const people: readonly Who[] = ['root', 'user'];
const needs = { root: true, programs: ['crun', 'unshare'] };
const isSkipped = skip('programs for other machines', needs) || process.arch !== 'x64' || !hasOwnHandlers();

/** `FROM scratch` with a program of each machine that ends at once, and the emulator where it is asked for. */
const containerfile = `FROM scratch AS bare
ARG TARGETARCH
COPY exit-$TARGETARCH /exit
FROM bare AS with-emulator
COPY --chmod=755 emulator /opt/emulator
FROM with-emulator AS inside
RUN ["/exit"]
FROM bare
RUN ["/exit"]
`;

describe.skipIf(isSkipped).each(people)('RUN for another machine, as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    const context = join(tsbuild.folder, 'context');
    mkdirSync(context);
    writeFileSync(join(context, 'Containerfile'), containerfile);
    for (const machine of ['386', 'arm64', 'riscv64'])
      writeFileSync(join(context, `exit-${machine}`), exitProgram(machine)!, { mode: 0o755 });
    // Whatever it is given to run, it ends well: all that has to be seen is that it is started.
    for (const name of ['context/emulator', 'emulator'])
      writeFileSync(join(tsbuild.folder, name), exitProgram('amd64')!, { mode: 0o755 });
    await tsbuild.give(tsbuild.folder);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  const handler = (more: Partial<TestHandler> = {}): TestHandler => ({
    name: 'arm64-on-amd64',
    header: exitProgram('arm64')!,
    interpreter: join(tsbuild.folder, 'emulator'),
    flags: 'F',
    ...more,
  });
  const command = (handlers: readonly TestHandler[], args: readonly string[]): Promise<Outcome> =>
    run(withHandlers(handlers, tsbuild.commandLine(args)), { cwd: tsbuild.folder, env: tsbuild.env });
  const build = (handlers: readonly TestHandler[], ...args: string[]): Promise<Outcome> =>
    command(handlers, ['build', '--no-cache', '--progress', 'plain', ...args, 'context']);
  const arm64 = ['--platform', 'linux/arm64'];

  it('is refused where no emulator is known, with what brings one', async () => {
    const refused = await build([], ...arm64);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('Containerfile:9:1');
    expect(refused.stderr).toContain('programs for linux/arm64 cannot run on this machine (linux/amd64)');
    expect(refused.stderr).toMatch(/apt-get install qemu-user-static binfmt-support/);
    expect(refused.stderr).toContain('FROM --platform=$BUILDPLATFORM');
    expect((await build([handler()], '--platform', 'linux/riscv64')).stderr).toContain(
      'linux/riscv64 cannot run',
    );
  });

  it('is no matter for what only copies', async () => {
    expect((await build([], ...arm64, '--target', 'with-emulator', '-t', 'bare:1')).code).toBe(0);
    const refused = await command([], ['run', 'bare:1', '/exit']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('linux/arm64 cannot run')]);
  });

  it('goes through an emulator that the kernel holds open', async () => {
    const done = await build([handler()], ...arm64);
    expect(done.code, done.stderr).toBe(0);
  });

  it('goes through one in the image where the kernel looks for it there', async () => {
    const inside = handler({ flags: '', interpreter: '/opt/emulator' });
    const refused = await build([inside], ...arm64);
    expect(refused.stderr).toMatch(
      /registered without the flag F, so that \/opt\/emulator has to be in the image/,
    );
    const done = await build([inside], ...arm64, '--target', 'inside');
    expect(done.code, done.stderr).toBe(0);
  });

  it('is refused where the emulator is switched off', async () => {
    const refused = await build([handler({ disabled: true })], ...arm64);
    expect(refused.stderr).toContain('arm64-on-amd64 is switched off');
  });

  it('runs older programs of the same processor without any', async () => {
    const done = await build([], '--platform', 'linux/386');
    expect(done.code, done.stderr).toBe(0);
  });

  it.skipIf(!has('qemu-aarch64-static'))('goes through qemu', async () => {
    const done = await build([handler({ interpreter: '/usr/bin/qemu-aarch64-static' })], ...arm64);
    expect(done.code, done.stderr).toBe(0);
  });
});
