import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { processesGone } from '../support/processes.ts';
import { type Outcome, type RunOptions, run } from '../support/programs.ts';
import { hasRegistryServer, startRegistryServer } from '../support/registry-server.ts';
import { isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const containerfile = `FROM localhost/tsbuild-test/busybox:1
ENV GREETING=hello
WORKDIR /home/app
USER app
ENTRYPOINT ["sh", "-c"]
CMD ["echo $GREETING; id -u; id -g; pwd; echo $HOME"]
`;
const base = 'localhost/tsbuild-test/busybox:1';
const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];
const needs = { programs: ['skopeo', 'busybox', 'crun', 'script'] };

describe.skipIf(skip('tsbuild run', needs)).each(people)('tsbuild run as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, [await busyboxBase()]);
    const context = join(tsbuild.folder, 'context');
    mkdirSync(context);
    writeFileSync(join(context, 'Containerfile'), containerfile);
    await tsbuild.give(context);
    await tsbuild.must(['build', '-t', 'app', 'context']);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  const inBase = (script: string, options?: RunOptions): Promise<Outcome> =>
    tsbuild.run(['run', base, 'sh', '-c', script], options);

  it("takes command, user, folder and environment from the image's configuration", async () => {
    const outcome = await tsbuild.run(['run', '--rm', 'app']);
    expect(outcome).toMatchObject({
      code: 0,
      stdout: 'hello\n1000\n1000\n/home/app\n/home/app\n',
      stderr: '',
    });
  });

  it('puts what the flags say over it', async () => {
    const env = { FROM_US: 'ours', NOT_NAMED: 'no' };
    const flags = ['-e', 'GREETING=hi', '-e', 'FROM_US', '-w', '/opt/old', '--user', 'www-data'];
    const look = 'echo $GREETING $FROM_US $NOT_NAMED; id -u; pwd';
    expect(await tsbuild.must(['run', ...flags, 'app', look], { env })).toBe('hi ours\n33\n/opt/old\n');
    expect(await tsbuild.must(['run', '--entrypoint', 'printf', 'app', '%s ', '-e', 'x'])).toBe('-e x ');
    expect(await tsbuild.must(['run', '--entrypoint', '', 'app', 'echo', 'y'])).toBe('y\n');
    expect((await tsbuild.run(['run', '--entrypoint', '', 'app'])).code).toBe(2);
  });

  it('ends with the exit code of the process', async () => {
    expect((await inBase('exit 7')).code).toBe(7);
    expect((await inBase('sh -c "kill -9 \\$\\$"; exit $?')).code).toBe(137);
    const missing = await tsbuild.run(['run', base, 'nosuch']);
    expect(missing.code).toBe(127);
    expect(missing.stderr).toContain('nosuch');
    expect((await tsbuild.run(['run', base, '/etc/motd'])).code).toBe(126);
  });

  it('passes bytes through, and stdin only with -i', async () => {
    const bytes = await inBase('printf "\\377\\000out"; printf "err" >&2');
    expect(bytes).toMatchObject({ stdout: '\ufffd\0out', stderr: 'err' });
    const input = 'to be read\n';
    expect(await tsbuild.must(['run', '-i', base, 'cat'], { input })).toBe(input);
    expect(await tsbuild.must(['run', base, 'cat'], { input })).toBe('');
    expect(await inBase('echo x >/dev/stdout')).toMatchObject({ code: 0, stdout: 'x\n' });
  });

  it('ends a process whose output nobody reads', async () => {
    const words = tsbuild.commandLine(['run', base, 'yes']);
    const pipe = ['sh', '-c', '"$@" | head -n 1', 'sh', ...words];
    const outcome = await run(pipe, { env: tsbuild.env, cwd: tsbuild.folder });
    expect(outcome).toMatchObject({ code: 0, stdout: 'y\n', stderr: '' });
    expect(await processesGone(tsbuild.folder)).toEqual([]);
  });

  it('shows files of the machine, protected where asked for', async () => {
    const folder = join(tsbuild.folder, 'shared');
    mkdirSync(folder);
    writeFileSync(join(folder, 'in'), 'from outside\n');
    await tsbuild.give(folder);
    const word = 'cat /deep/er/in && echo from inside > /deep/er/out';
    const mounted = (mode: string) =>
      tsbuild.run(['run', '-v', `./shared:/deep/er${mode}`, base, 'sh', '-c', word]);
    const refused = await mounted(':ro');
    expect([refused.code, refused.stdout]).toEqual([1, 'from outside\n']);
    expect(readdirSync(folder)).toEqual(['in']);
    expect((await mounted('')).code).toBe(0);
    expect(readdirSync(folder)).toEqual(['in', 'out']);
    expect((await tsbuild.run(['run', '-v', './nothing:/x', base, 'true'])).stderr).toContain('nothing');
    expect((await tsbuild.run(['run', '-v', 'named:/x', base, 'true'])).code).toBe(2);
  });

  it('keeps nothing of what the process wrote', async () => {
    expect((await inBase('echo gone > /etc/motd; rm -r /opt')).code).toBe(0);
    expect((await inBase('cat /etc/motd; ls /opt/old')).stdout).toBe('welcome\na\nb\ndeep\n');
    expect(readdirSync(join(tsbuild.store, 'tmp'))).toEqual([]);
  });

  it('has the network of the machine, or none', async () => {
    const look = ['sh', '-c', 'ip link | grep -c "^[0-9]"; hostname'];
    expect(await tsbuild.must(['run', '--network', 'none', base, ...look])).toBe('1\ntsbuild\n');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('hands %s to the process, and ends one that takes no notice', async (signal, code) => {
    const name = signal.slice(3);
    const heeds = await signalled(
      tsbuild,
      signal,
      `trap 'echo got it; exit 5' ${name}; echo up; sleep 60 & wait`,
    );
    expect(heeds).toMatchObject({ code: 5, stdout: 'up\ngot it\n' });
    const deaf = await signalled(tsbuild, signal, 'echo up; exec sleep 60');
    expect(deaf).toMatchObject({ code, stdout: 'up\n' });
    expect(await processesGone(tsbuild.folder)).toEqual([]);
  });

  it('interrupts all of a process group, as a terminal does', async () => {
    expect(await signalled(tsbuild, 'SIGINT', 'echo up; sleep 60; echo no')).toMatchObject({
      stdout: 'up\n',
    });
  });

  it('leaves nothing behind when it is killed', async () => {
    await signalled(tsbuild, 'SIGKILL', 'sleep 61 & setsid sleep 62 & echo up; sleep 60');
    expect(await processesGone(tsbuild.folder)).toEqual([]);
    expect((await inBase('true')).code).toBe(0);
    expect(readdirSync(join(tsbuild.store, 'tmp'))).toEqual([]);
  });

  it('gives the process our terminal with -t, in its size, and puts it back', async () => {
    const words = tsbuild.commandLine(['run', '-it', base, 'sh', '-c', 'tty; busybox stty size; exit 4']);
    const before = 'stty rows 31 cols 97; stty -g > before';
    const line = `${before}; ${words.map((word) => `'${word}'`).join(' ')}; echo code $?; stty -g > after`;
    const typescript = ['script', '-qec', `${line}; cmp before after && echo same`, '/dev/null'];
    const outcome = await run(typescript, { env: { ...tsbuild.env, TERM: 'xterm' }, cwd: tsbuild.folder });
    // script(1) tells the terminal in this way that its own stdin has ended.
    const seen = outcome.stdout.replaceAll('^@', '');
    expect(seen).toMatch(/\/dev\/pts\/0\r?\n31 97\r?\ncode 4\r?\nsame/);
    const without = await tsbuild.run(['run', '-t', base, 'true']);
    expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('needs a terminal')]);
  });
});

const registryNeeds = skip('run of an image that must be pulled', needs) || !hasRegistryServer();
describe.skipIf(registryNeeds).each(people)('run of an image in a registry, as %s', (who) => {
  it('pulls it once', async () => {
    const registry = await startRegistryServer();
    try {
      await using tsbuild = await newTsbuild(who);
      await loadBases(tsbuild, [await busyboxBase()]);
      const name = `${registry.host}/app:1`;
      await tsbuild.must(['push', base, name]);
      await tsbuild.must(['rmi', base]);
      await tsbuild.must(['prune', '--everything']);
      const first = await tsbuild.run(['run', name, 'echo', 'here']);
      expect(first).toMatchObject({ code: 0, stdout: 'here\n' });
      expect(first.stderr).toContain('pulling');
      await registry.stop();
      expect(await tsbuild.run(['run', name, 'echo', 'again'])).toMatchObject({ code: 0, stderr: '' });
    } finally {
      await registry.stop();
    }
  });
});

/** Starts a shell in the base, sends it a signal once it says that it is up, and gives how it ended. */
async function signalled(tsbuild: Tsbuild, signal: NodeJS.Signals, script: string): Promise<Outcome> {
  let sent = false;
  return await run(tsbuild.commandLine(['run', base, 'sh', '-c', script]), {
    cwd: tsbuild.folder,
    env: tsbuild.env,
    said: (output, pid) => {
      if (sent || !output.includes('up\n')) return;
      sent = true;
      // A shell that is about to become another program still has its own mask of signals.
      setTimeout(() => process.kill(pid, signal), 500);
    },
  });
}
