import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OutsideJob } from '../support/outside-driver.ts';
import { must, run } from '../support/programs.ts';
import { bundle, SandboxPlace } from '../support/sandbox-place.ts';
import { skip } from '../support/skips.ts';
import { type SshServer, sshd, startSshServer } from '../support/ssh-server.ts';

const needs = { root: true, programs: ['unshare', 'git', 'ssh', 'ssh-keygen', sshd] };

describe.skipIf(skip('git over ssh from inside the namespaces', needs))('git over ssh', () => {
  let place: SandboxPlace;
  let server: SshServer;
  let work: string;
  let user: { readonly name: string; readonly home: string };

  beforeAll(async () => {
    place = await SandboxPlace.make();
    work = place.work('user');
    const fields = (await must(['getent', 'passwd', String(place.ids.uid)])).split(':');
    user = { name: fields[0]!, home: fields[5]! };
    await installDriver();
    await makeRepository();
    server = await startServer();
  });
  afterAll(async () => {
    await server?.stop();
    place?.remove();
  });

  it('clones with the key in the home of the person, whose the files then are', async () => {
    const address = `ssh://${user.name}@127.0.0.1:${server.port}${work}/repository`;
    const [cloned, refused] = await outside([
      job(['git', 'clone', '-q', address, join(work, 'clone')]),
      job(['git', 'clone', '-q', `${address}-of-nobody`, join(work, 'nothing')]),
    ]);
    expect(cloned, JSON.stringify(cloned)).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(work, 'clone/file'), 'utf8')).toBe('from the repository\n');
    expect(statSync(join(work, 'clone/file')).uid).toBe(place.ids.uid);
    expect(refused!.code).toBe(128);
    expect(refused!.stderr).toContain('of-nobody');
  });

  const job = (argv: readonly string[]): OutsideJob => ({
    argv,
    env: { GIT_SSH_COMMAND: `ssh -o UserKnownHostsFile=${join(work, 'known_hosts')}` },
  });
  const asUser = (command: readonly string[], cwd = work) =>
    must([...place.as('user'), ...command], { cwd, env: { ...place.environment(), HOME: user.home } });

  /** Runs requests from inside the launcher's namespaces. */
  async function outside(jobs: readonly OutsideJob[]): Promise<{ code: number; stderr: string }[]> {
    const file = join(work, 'jobs.json');
    writeFileSync(file, JSON.stringify(jobs), { mode: 0o644 });
    const env = { ...place.environment(), HOME: user.home, XDG_RUNTIME_DIR: work };
    const outcome = await run([...place.as('user'), join(place.folder, 'ssh/bin/tsbuild'), file], {
      env,
      cwd: '/',
    });
    expect(outcome.code, outcome.stderr).toBe(0);
    const [told, ...answers] = outcome.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(told).toMatchObject({ uid: 0, place: { isolation: 'subuid' } });
    return answers;
  }

  async function installDriver(): Promise<void> {
    const folder = join(place.folder, 'ssh');
    mkdirSync(join(folder, 'dist'), { recursive: true });
    for (const name of ['bin', 'node_modules', 'package.json'])
      cpSync(join(place.folder, name), join(folder, name), { recursive: true });
    await bundle('outside-driver.ts', join(folder, 'dist/cli.js'));
    await must(['chmod', '-R', 'a+rX', folder]);
  }

  async function makeRepository(): Promise<void> {
    const repository = join(work, 'repository');
    await asUser(['git', 'init', '-q', repository]);
    await asUser(['sh', '-c', 'echo from the repository > file && git add file'], repository);
    const author = ['-c', 'user.name=test', '-c', 'user.email=test@localhost'];
    await asUser(['git', ...author, 'commit', '-q', '-m', 'one'], repository);
  }

  /** An ssh server that only the person's own key opens. */
  async function startServer(): Promise<SshServer> {
    const key = join(user.home, '.ssh/id_ed25519');
    await asUser(['mkdir', '-p', '-m', '700', join(user.home, '.ssh')]);
    if (!existsSync(key)) await asUser(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key]);
    await asUser(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(work, 'host')]);
    await asUser(['cp', `${key}.pub`, join(work, 'authorized_keys')]);
    const hostKey = readFileSync(join(work, 'host.pub'), 'utf8');
    const started = await startSshServer(work, (command) => [...place.as('user'), ...command]);
    writeFileSync(join(work, 'known_hosts'), `[127.0.0.1]:${started.port} ${hostKey}`);
    return started;
  }
});
