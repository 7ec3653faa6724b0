import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { must, type RunOptions } from '../support/programs.ts';
import { hasRegistryServer, type RegistryServer, startRegistryServer } from '../support/registry-server.ts';
import { isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const user = 'somebody';
const password = 'correct horse';
const base = 'localhost/tsbuild-test/busybox:1';
const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];
const needs = { programs: ['skopeo', 'busybox', 'crun', 'openssl', 'python3', 'script'] };
const isSkipped = skip('a registry with passwords and TLS', needs) || !hasRegistryServer();

describe.skipIf(isSkipped).each(people)('a registry with passwords and TLS, as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  let registry: RegistryServer;
  let certificates: Certificates;
  let env: Record<string, string>;

  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    certificates = makeCertificates(join(tsbuild.folder, 'certificates'));
    await must(['chmod', '-R', 'a+rX', tsbuild.folder]);
    registry = await startRegistryServer({
      htpasswd: { user, password },
      tls: { cert: certificates.cert, key: certificates.key },
    });
    const { folder } = tsbuild;
    for (const name of ['home', 'context', 'programs']) mkdirSync(join(folder, name));
    env = { HOME: join(folder, 'home'), SSL_CERT_FILE: certificates.ca };
    env.PATH = `${join(folder, 'programs')}:${process.env.PATH}`;
    writeFileSync(join(folder, 'context/Containerfile'), `FROM ${base}\nRUN echo made > /made\n`);
    await tsbuild.give(folder);
    await loadBases(tsbuild, [await busyboxBase()]);
  });
  afterAll(async () => {
    await registry?.stop();
    await tsbuild?.[Symbol.asyncDispose]();
  });

  const command = (args: readonly string[], options: RunOptions = {}) =>
    tsbuild.run(args, { ...options, env: { ...env, ...options.env } });
  const succeed = (args: readonly string[], options: RunOptions = {}) =>
    tsbuild.must(args, { ...options, env: { ...env, ...options.env } });
  const image = (name: string): string => `${registry.host}/${name}`;
  const login = (word: string) =>
    command(['login', '-u', user, '--password-stdin', registry.host], { input: word });
  const docker = (config: object): string => JSON.stringify(config).replaceAll('HOST', registry.host);
  const encoded = Buffer.from(`${user}:${password}`).toString('base64');

  it('lets nobody in without a login, and says how to get one', async () => {
    const refused = await command(['push', base, image('app:1')]);
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('tsbuild login');
    const wrong = await login('wrong');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).not.toContain('wrong\n');
    expect((await command(['logout', registry.host])).code).toBe(1);
  });

  it('trusts no authority that is not the system’s or named', async () => {
    const unknown = await command(['login', '-u', user, '--password-stdin', registry.host], {
      input: password,
      env: { SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt' },
    });
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toMatch(/certificate/);
  });

  it('is logged in to with a password from stdin, builds and pushes, is pulled from and built on offline', async () => {
    expect(await login(`${password}\n`)).toMatchObject({ code: 0, stdout: '' });
    const file = join(tsbuild.folder, 'home/.docker/config.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await succeed(['build', '-t', image('app:1'), '--push', '--metadata-file', 'metadata', 'context']);
    const metadata = JSON.parse(readFileSync(join(tsbuild.folder, 'metadata'), 'utf8')) as Record<
      string,
      string
    >;
    const digest = metadata['containerimage.digest']!;
    expect(await digestAt('app:1')).toBe(digest);
    expect((await succeed(['push', image('app:1'), image('deep/er/other:2')])).trim()).toBe(digest);
    expect(await digestAt('deep/er/other:2')).toBe(digest);
    await succeed(['push', image('app:1'), image('hub/library/app:1')]);
    await succeed(['rmi', image('app:1')]);
    await succeed(['prune', '--everything']);
    const mirror = ['--registry-mirror', image('hub')];
    expect(await succeed(['pull', ...mirror, 'app:1'])).toBe(await succeed(['pull', image('app:1')]));
    await succeed(['rmi', 'app:1', image('app:1')]);
    await succeed(['prune', '--everything']);
    await succeed(['pull', image('deep/er/other:2')]);
    const on = join(tsbuild.folder, 'on');
    mkdirSync(on);
    writeFileSync(join(on, 'Containerfile'), `FROM ${image('deep/er/other:2')}\nRUN cat /made\n`);
    const before = registry.log().length;
    const offline = await command(['build', '--progress', 'plain', 'on'], { env: { HOME: '/nowhere' } });
    expect(offline.code, offline.stderr).toBe(0);
    expect(offline.stderr).toMatch(/ made$/m);
    expect(registry.log().slice(before)).toBe('');
  });

  it('gives what the lock file pins, though a tag was moved, and needs no registry then', async () => {
    const folder = join(tsbuild.folder, 'pinned');
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'Containerfile'),
      `FROM ${image('moving:1')}\nCOPY --from=${image('moving:1')} /made /copy\n`,
    );
    await tsbuild.give(folder);
    const build = (...flags: string[]) => succeed(['build', '-q', '--root', 'elsewhere', ...flags, 'pinned']);
    await succeed(['push', image('deep/er/other:2'), image('moving:1')]);
    const first = await build('--lock');
    const text = readFileSync(join(folder, 'Containerfile.lock'), 'utf8');
    expect(text).toContain(`"${image('moving:1')}": "${await digestAt('moving:1')}"`);
    await loadBases(tsbuild, [await busyboxBase()]);
    await succeed(['push', base, image('moving:1')]);
    expect(await build('--frozen', '--pull')).toBe(first);
    const before = registry.log().length;
    expect(await build('--frozen', '--offline')).toBe(first);
    expect(registry.log().slice(before)).toBe('');
    const moved = await command(['build', '--root', 'elsewhere', '--pull', 'pinned']);
    expect([moved.code, moved.stderr]).toEqual([1, expect.stringContaining('/made')]);
    const unpinned = await command(['build', '--root', 'empty', '--offline', 'pinned']);
    expect(unpinned.stderr).toContain('no registry may be asked');
  });

  it('keeps a cache by which an empty store runs no step', async () => {
    const folder = join(tsbuild.folder, 'cached');
    mkdirSync(folder);
    writeFileSync(join(folder, 'Containerfile'), `FROM ${image('deep/er/other:2')}\nRUN date > /time\n`);
    await tsbuild.give(folder);
    await succeed([
      'build',
      '-t',
      image('cached:1'),
      '--push',
      '--cache-to',
      image('cached:steps'),
      'cached',
    ]);
    const flags = ['--progress=plain', '--push', '--cache-from', image('cached:steps')];
    const again = await command(['build', '--root', 'fresh', '-t', image('again:1'), ...flags, 'cached']);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).toMatch(/FINISHED 2 steps, 1 cached in \S+, received [\d.]+k?B, sent [\d.]+k?B$/m);
    expect(await digestAt('again:1')).toBe(await digestAt('cached:1'));
  });

  it('forgets a login', async () => {
    expect((await login(password)).code).toBe(0);
    expect((await command(['logout', registry.host])).code).toBe(0);
    expect((await command(['pull', image('app:1')])).code).toBe(1);
  });

  it('asks at a terminal, and shows no password', async () => {
    const words = tsbuild.commandLine(['login', registry.host]).map((word) => `'${word}'`);
    const seen = await atTerminal(words.join(' '), [
      ['Username: ', `${user}\r`],
      ['Password: ', `${password}\r`],
    ]);
    expect(seen).toContain(`logged in to ${registry.host}`);
    // readline clears the line before the question, not after it.
    expect(seen).toMatch(/\x1b\[0JUsername: /);
    expect(seen).toContain(user);
    expect(seen).not.toContain(password);
    await succeed(['pull', image('app:1')]);
    await succeed(['logout', registry.host]);
  });

  it('takes DOCKER_AUTH_CONFIG', async () => {
    const settings = { DOCKER_AUTH_CONFIG: docker({ auths: { HOST: { auth: encoded } } }) };
    await succeed(['push', image('app:1'), image('app:from-env')], { env: settings });
    expect(await digestAt('app:from-env')).toBe(await digestAt('app:1'));
  });

  it('asks a credential helper, which runs as the person', async () => {
    await loadBases(tsbuild, [await busyboxBase()]);
    const { folder } = tsbuild;
    const told = join(folder, 'home/told');
    const answer = docker({ ServerURL: 'HOST', Username: user, Secret: password });
    const script = `#!/bin/sh\nread -r host\necho "$1 $host $(id -u) $HOME" >>'${told}'\necho '${answer}'\n`;
    writeFileSync(join(folder, 'programs/docker-credential-test'), script);
    chmodSync(join(folder, 'programs/docker-credential-test'), 0o755);
    mkdirSync(join(folder, 'home/.docker'), { recursive: true });
    writeFileSync(join(folder, 'home/.docker/config.json'), docker({ credHelpers: { HOST: 'test' } }));
    await tsbuild.give(folder);
    await succeed(['build', '-t', image('helped:1'), '--push', 'context']);
    const uid = (await must([...tsbuild.as(['id', '-u'])])).trim();
    const lines = new Set(readFileSync(told, 'utf8').trim().split('\n'));
    expect([...lines]).toEqual([`get ${registry.host} ${uid} ${env.HOME}`]);
  });

  async function digestAt(name: string): Promise<string> {
    const inspect = ['skopeo', 'inspect', '--creds', `${user}:${password}`, '--format', '{{.Digest}}'];
    return (await must([...inspect, `docker://${image(name)}`], { env: { ...process.env, ...env } })).trim();
  }

  /** Runs a line at a terminal, answers each question once it is asked, and gives all that could be seen. */
  function atTerminal(line: string, answers: readonly (readonly [string, string])[]): Promise<string> {
    const child = spawn('script', ['-qec', line, '/dev/null'], {
      env: { ...tsbuild.env, ...env, TERM: 'xterm' },
      cwd: tsbuild.folder,
    });
    const rest = [...answers];
    let seen = '';
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', () => resolve(seen));
      child.stdout.on('data', (chunk: Buffer) => {
        seen += String(chunk);
        const next = rest[0];
        if (next === undefined || !lastLine(seen).endsWith(next[0])) return;
        rest.shift();
        child.stdin.write(next[1]);
      });
    });
  }
});

/** The last line as it stands on the screen: clearing it takes away what was there. */
function lastLine(output: string): string {
  const line = output.split(/\n|\x1b\[0J/).at(-1) ?? '';
  return line.replaceAll(/\x1b\[\d*[A-Z]/g, '');
}
