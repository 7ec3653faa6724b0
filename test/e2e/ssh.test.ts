import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { asUser, type OrdinaryUser, ordinaryUser, userFolder } from '../support/ordinary-user.ts';
import { processesGone } from '../support/processes.ts';
import { must, type Outcome } from '../support/programs.ts';
import { skip } from '../support/skips.ts';
import { type SshServer, sshd, startSshServer } from '../support/ssh-server.ts';
import { loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

const needs = {
  root: true,
  programs: ['skopeo', 'busybox', 'crun', 'ssh', 'ssh-agent', 'ssh-add', 'ssh-keygen', sshd],
};

describe.skipIf(skip('RUN --mount=type=ssh', needs)).each(['root', 'user'] as const)(
  'RUN with ssh as %s',
  (who) => {
    let user: OrdinaryUser;
    let home: AsyncDisposable & { readonly path: string };
    let server: SshServer;
    let tsbuild: AsyncDisposable & Tsbuild;
    let agent: ChildProcess;
    let socket: string;
    let key: string;

    beforeAll(async () => {
      user = await ordinaryUser();
      home = await userFolder(user);
      const at = (name: string) => join(home.path, name);
      for (const name of ['host', 'login'])
        await must(asUser(user, ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', at(name)]));
      await must(asUser(user, ['cp', at('login.pub'), at('authorized_keys')]));
      server = await startSshServer(home.path, (command) => asUser(user, command));
      tsbuild = await newTsbuild(who);
      await loadBases(tsbuild, [await busyboxBase()]);
      await layOutContext(join(tsbuild.folder, 'context'));
      key = join(tsbuild.folder, 'key');
      copyFileSync(at('login'), key);
      await must(['chmod', '600', key]);
      await tsbuild.give(tsbuild.folder);
      socket = join(tsbuild.folder, 'a-s');
      const [program = '', ...args] = tsbuild.as(['ssh-agent', '-D', '-a', socket]);
      agent = spawn(program, args, { stdio: 'ignore', env: tsbuild.env });
      while (!existsSync(socket)) await sleep(10);
      await must(tsbuild.as(['ssh-add', '-q', key]), { env: { ...tsbuild.env, SSH_AUTH_SOCK: socket } });
    });
    afterAll(async () => {
      await server?.stop();
      const ended = new Promise((resolve) => agent?.once('exit', resolve));
      agent?.kill('SIGTERM');
      await ended;
      await tsbuild?.[Symbol.asyncDispose]();
      await home?.[Symbol.asyncDispose]();
    });

    /** An ssh client with all its libraries, to be mounted. */
    async function layOutContext(context: string): Promise<void> {
      mkdirSync(join(context, 'client'), { recursive: true });
      const program = (await must(['sh', '-c', 'command -v ssh'])).trim();
      copyFileSync(program, join(context, 'client/ssh'));
      for (const [, path = ''] of (await must(['ldd', program])).matchAll(/(\/\S+) \(0x/g)) {
        copyFileSync(
          path,
          join(context, 'client', path.includes('/ld-linux') ? 'ld.so' : path.split('/').at(-1)!),
        );
      }
    }

    const client = (): string =>
      '/client/ld.so --library-path /client /client/ssh -F none -o StrictHostKeyChecking=no ' +
      `-o UserKnownHostsFile=/dev/null -o BatchMode=yes -p ${server.port} ${user.name}@127.0.0.1`;

    /** Builds a file of these lines on the base, and gives the files of the result below `out`. */
    async function build(lines: readonly string[], flags: readonly string[], env = {}): Promise<Outcome> {
      const text = ['FROM localhost/tsbuild-test/busybox:1', ...lines].join('\n');
      writeFileSync(join(tsbuild.folder, 'context/Containerfile'), `${text}\n`);
      return await tsbuild.run(['build', '--no-cache', '-o', 'out', ...flags, 'context'], { env });
    }
    const answer = (name: string): string => readFileSync(join(tsbuild.folder, 'out', name), 'utf8');

    it("logs in with the person's agent, and leaves nothing behind", async () => {
      const mounts = '--mount=source=client,target=/client --mount=type=ssh,required';
      const lines = [
        `RUN ${mounts} echo $SSH_AUTH_SOCK > /place && stat -c "%u %g %a %F" $SSH_AUTH_SOCK > /stat && ${client()} echo in > /answer`,
        'RUN ls -d /run/buildkit /client 2>/dev/null | wc -l > /left',
      ];
      const built = await build(lines, ['--ssh', 'default'], { SSH_AUTH_SOCK: socket });
      expect(built.code, built.stderr).toBe(0);
      expect(answer('answer')).toBe('in\n');
      expect(answer('place')).toBe('/run/buildkit/ssh_agent.0\n');
      expect(answer('stat')).toBe('0 0 600 socket\n');
      expect(answer('left')).toBe('0\n');
    });

    it('logs in with a key and no agent, as another user and at another place', async () => {
      const mount = '--mount=type=ssh,id=hub,target=/tmp/deep/agent,uid=1000,gid=33,mode=0640';
      const lines = [
        'USER app',
        `RUN --mount=source=client,target=/client ${mount} stat -c "%u %g %a" $SSH_AUTH_SOCK > /tmp/stat && ${client()} echo in > /tmp/answer`,
      ];
      const built = await build(lines, ['--ssh', `hub=${key}`]);
      expect(built.code, built.stderr).toBe(0);
      expect(answer('tmp/answer')).toBe('in\n');
      expect(answer('tmp/stat')).toBe('1000 33 640\n');
      expect(existsSync(join(tsbuild.folder, 'out/tmp/deep'))).toBe(false);
    });

    it('refuses without a key that opens, and other users of the step', async () => {
      const lines = [`RUN --mount=source=client,target=/client --mount=type=ssh ${client()} true`];
      expect((await build(lines, [])).stderr).toContain('Permission denied');
      const others = await build(['USER app', ...lines], ['--ssh', `default=${key}`]);
      expect(others.stderr).toContain('Permission denied');
    });

    it('leaves no process behind', async () => {
      const gone = join(tsbuild.folder, 'store');
      expect(await processesGone(gone)).toEqual([]);
    });
  },
);
