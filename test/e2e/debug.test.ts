import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { processesGone } from '../support/processes.ts';
import { isRoot, skip } from '../support/skips.ts';
import { openTerminal, type Terminal } from '../support/terminal.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const base = 'localhost/tsbuild-test/busybox:1';
const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];
const needs = { programs: ['skopeo', 'busybox', 'python3'] };
const prompt = '(debug) ';

describe.skipIf(skip('shells where a build stops', needs)).each(people)('a shell in a step as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, [await busyboxBase()]);
    write('fails', [
      `FROM ${base} AS tools`,
      'ENV GREETING=hello',
      'ARG VERSION API_TOKEN',
      'WORKDIR /srv',
      'RUN echo below > below',
      'USER app',
      `RUN --mount=type=cache,target=/cache,uid=1000 --mount=type=secret,id=s,uid=1000 --mount=type=bind,target=/ctx \\`,
      '    echo half > /tmp/half && ln -s half /tmp/link && cat /cache/ready && cp /tmp/half /tmp/whole',
      'FROM scratch',
      'COPY --from=tools /tmp /',
    ]);
    write('bare', ['FROM scratch', 'ENV A=b LD_PRELOAD=/nope', 'USER 7:8', 'WORKDIR /w', 'RUN ["/none"]']);
    writeFileSync(join(tsbuild.folder, 'secret'), 'hunter2-hunter2');
    await tsbuild.give(tsbuild.folder);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  function write(name: string, lines: readonly string[]): void {
    mkdirSync(join(tsbuild.folder, name));
    writeFileSync(join(tsbuild.folder, name, 'Containerfile'), `${lines.join('\n')}\n`);
  }

  function at(...args: readonly string[]): Terminal {
    return openTerminal(tsbuild.commandLine(args), { cwd: tsbuild.folder, env: tsbuild.env });
  }

  it('shows the step as it failed, survives ^C, and fails as without one when it is left with quit', async () => {
    await using terminal = at(
      'build',
      '--debug-shell',
      '--progress=plain',
      '--secret=id=s,src=secret',
      '--build-arg=VERSION=7',
      '--build-arg=API_TOKEN=given-token',
      'fails',
    );
    await terminal.sees('| failed with exit code 1: [tools 4/4] RUN');
    await terminal.sees('| fails/Containerfile:7, user app, folder /srv');
    await terminal.sees(prompt);
    terminal.type('id -u; cat /tmp/half below; echo $GREETING; tty; ls /ctx; wc -c < /run/secrets/s\n');
    for (const line of ['1000', 'half', 'below', 'hello', '/dev/pts/0', 'Containerfile', '15'])
      await terminal.sees(`${line}\r\n`);
    await terminal.sees(prompt);
    // What says so is itself at the terminal by then.
    terminal.type(`sh -c 'echo be""gun; exec sleep 1000'\n`);
    await terminal.sees('begun\r\n');
    terminal.type('\x03');
    await terminal.sees(prompt);
    terminal.type('exit\n');
    await terminal.sees('[r]etry, [c]ontinue, [q]uit, [s]hell? ');
    terminal.type('shell\n');
    await terminal.sees(prompt);
    terminal.type('quit\n');
    expect(await terminal.ended()).toBe(1);
    // The terminal breaks lines between words.
    const shown = terminal.shown.replaceAll(/\s+/g, ' ');
    expect(shown).toContain('did not complete successfully: exit code: 1');
    expect(shown).toContain('`tsbuild debug` opens a shell where it failed.');
  });

  it('opens it again when the build is long over, without secrets, and drops what is changed', async () => {
    expect(await tsbuild.must(['debug', '-c', 'echo "$VERSION,$API_TOKEN"'])).toBe('7,\n');
    expect(await tsbuild.must(['debug', '-c', 'cat /tmp/half; readlink /tmp/link; pwd; id -u'])).toBe(
      'half\nhalf\n/srv\n1000\n',
    );
    await using terminal = at('debug');
    await terminal.sees('| not there: the secret "s" (--secret id=s,src=FILE)');
    await terminal.sees(prompt);
    terminal.type('ls /ctx; ls /run/secrets; rm /tmp/half; exit 3\n');
    await terminal.sees('Containerfile\r\n');
    expect(await terminal.ended()).toBe(0);
    const again = ['debug', '--secret=id=s,src=secret', '-c', 'cat /run/secrets/s /tmp/half; exit 3'];
    expect(await tsbuild.run(again)).toMatchObject({ code: 3, stdout: 'hunter2-hunter2half\n' });
  });

  it('goes on with the files as they were left, and keeps nothing of it in the cache', async () => {
    await using terminal = at('build', '--debug-shell', '-t', 'by/hand', '-o', 'out', 'fails');
    await terminal.sees(prompt);
    terminal.type('echo mine > /tmp/whole\n');
    await terminal.sees(prompt);
    terminal.type('continue\n');
    expect(await terminal.ended()).toBe(0);
    expect(terminal.shown).toContain('goes on with its files as somebody left them');
    expect(readFileSync(join(tsbuild.folder, 'out/whole'), 'utf8')).toBe('mine\n');
    expect((await tsbuild.run(['build', 'fails'])).code).toBe(1);
  });

  it('refuses to go on where others would get it; what is run again starts from what was below', async () => {
    await using terminal = at(
      'build',
      '--debug-shell',
      '--cache-to',
      'type=local,dest=shared',
      '-o',
      'out2',
      'fails',
    );
    await terminal.sees(prompt);
    expect(terminal.shown).not.toContain('  continue  go on');
    terminal.type('touch /tmp/junk; echo 1 > /cache/ready; continue\n');
    await terminal.sees('a build with --cache-to does not go on');
    await terminal.sees('[r]etry, [q]uit, [s]hell? ');
    terminal.type('r\n');
    expect(await terminal.ended()).toBe(0);
    expect(existsSync(join(tsbuild.folder, 'out2/whole'))).toBe(true);
    expect(existsSync(join(tsbuild.folder, 'out2/junk'))).toBe(false);
    const { stderr } = await tsbuild.run(['build', '--progress=plain', 'fails']);
    expect(stderr).toContain('CACHED\n\n#5');
  });

  it('brings a shell along where the image has none', async () => {
    await using terminal = at('build', '--debug-shell', '--progress=plain', 'bare');
    await terminal.sees('The image has no shell');
    await terminal.sees(prompt);
    terminal.type('pwd; id; env; ls -l / | head -1; none-such\n');
    for (const line of ['/w', 'uid=7 gid=8 groups=8', 'A=b', 'd0755', 'none-such: not found'])
      await terminal.sees(line);
    await terminal.sees(prompt);
    terminal.type('quit\n');
    expect(await terminal.ended()).toBe(1);
    const { stdout } = await tsbuild.run(['debug', '-c', 'echo $A > /dev/shm/a; cat /dev/shm/a']);
    expect(stdout).toBe('b\n');
  });

  it('stops before a step, also before one that is cached', async () => {
    await using terminal = at('build', '--break', 'TOOLS', '--break', 'tools:7', '--progress=plain', 'fails');
    await terminal.sees('| stopped before [tools 2/4] ENV GREETING=hello');
    await terminal.sees(prompt);
    terminal.type('ls -d /srv; touch /lost; continue\n');
    await terminal.sees('No such file');
    await terminal.sees('| stopped before [tools 4/4] RUN');
    await terminal.sees(prompt);
    terminal.type('ls /lost; cat /cache/ready /srv/below; retry\n');
    await terminal.sees('No such file');
    await terminal.sees('1\r\nbelow\r\n');
    await terminal.sees('nothing has been run yet');
    terminal.type('c\n');
    expect(await terminal.ended()).toBe(0);
  });

  it('says how where there is no terminal', async () => {
    const outcome = await tsbuild.run(['build', '--debug-shell', 'bare']);
    expect(outcome.code).toBe(1);
    const [build] = JSON.parse(await tsbuild.must(['builds', '--format=json'])) as [{ id: string }];
    expect(outcome.stderr).toContain(`--debug-shell found no terminal: \`tsbuild debug ${build.id}\``);
    expect(await tsbuild.run(['build', '--break', 'tools', 'fails'])).toMatchObject({ code: 2 });
    expect(await tsbuild.run(['debug'])).toMatchObject({ code: 2 });
  });

  it('leaves nothing behind when the build is killed meanwhile', async () => {
    const marker = join(tsbuild.folder, 'bare');
    await using terminal = at('build', '--debug-shell', '--progress=plain', marker);
    await terminal.sees(prompt);
    terminal.kill();
    await terminal.ended();
    expect(await processesGone(tsbuild.store)).toEqual([]);
  });

  it('keeps the last three, and says that a pruned one is gone', async () => {
    for (let i = 0; i < 4; i++) await tsbuild.run(['build', 'bare']);
    const usage = JSON.parse(await tsbuild.must(['du', '--format=json'])) as {
      kind: string;
      count: number;
    }[];
    expect(usage.find(({ kind }) => kind === 'failures')?.count).toBe(3);
    await tsbuild.must(['prune', '--everything']);
    const outcome = await tsbuild.run(['debug', '-c', 'true']);
    expect(outcome).toMatchObject({ code: 1 });
    expect(outcome.stderr).toContain('no step that failed is kept');
  });
});
