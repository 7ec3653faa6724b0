import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { newRepository } from '../support/git-repository.ts';
import { asUser, ordinaryUser, userFolder } from '../support/ordinary-user.ts';
import { must } from '../support/programs.ts';
import { skip } from '../support/skips.ts';
import { sshd, startSshServer } from '../support/ssh-server.ts';
import { newTsbuild } from '../support/tsbuild.ts';

const needs = { root: true, programs: ['git', 'ssh', 'ssh-agent', 'ssh-add', 'ssh-keygen', sshd] };

describe.skipIf(skip('git over ssh', needs)).each(['root', 'user'] as const)('git over ssh as %s', (who) => {
  it("is the context, with the person's own key and settings; a stranger is not let in", async () => {
    const user = await ordinaryUser();
    await using home = await userFolder(user);
    const at = (name: string) => join(home.path, name);
    for (const name of ['host', 'login'])
      await must(asUser(user, ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', at(name)]));
    await must(asUser(user, ['cp', at('login.pub'), at('authorized_keys')]));
    const repository = await newRepository(home.path, 'app');
    await repository.commit({ Containerfile: 'FROM scratch\nCOPY file /\n', file: 'over ssh\n' });
    await repository.publish();
    await must(['chown', '-R', `${user.uid}:${user.gid}`, home.path]);
    await using tsbuild = await newTsbuild(who);
    const key = join(tsbuild.folder, 'key');
    copyFileSync(at('login'), key);
    await must(['chmod', '600', key]);
    await tsbuild.give(tsbuild.folder);
    const server = await startSshServer(home.path, (command) => asUser(user, command));
    try {
      const address = `ssh://${user.name}@127.0.0.1:${server.port}${home.path}/app.git`;
      const known = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -F none';
      const build = (ssh: string, ...flags: readonly string[]) =>
        tsbuild.run(['build', '--progress', 'plain', '--retry', '0', '-o', 'out', ...flags, address], {
          env: { GIT_SSH_COMMAND: `${ssh} ${known}` },
        });
      const built = await build(`ssh -i ${key}`);
      expect(built.code, built.stderr).toBe(0);
      expect(readFileSync(join(tsbuild.folder, 'out/file'), 'utf8')).toBe('over ssh\n');
      const socket = join(tsbuild.folder, 'agent');
      const [program = '', ...args] = tsbuild.as(['ssh-agent', '-D', '-a', socket]);
      const agent = spawn(program, args, { stdio: 'ignore', env: tsbuild.env });
      try {
        while (!existsSync(socket)) await sleep(10);
        await must(tsbuild.as(['ssh-add', '-q', key]), { env: { ...tsbuild.env, SSH_AUTH_SOCK: socket } });
        const byAgent = await build('ssh -i /dev/null', '--ssh', `default=${socket}`);
        expect(byAgent.code, byAgent.stderr).toBe(0);
      } finally {
        const ended = new Promise((resolve) => agent.once('exit', resolve));
        agent.kill('SIGTERM');
        await ended;
      }
      const refused = await build('ssh -o IdentitiesOnly=yes -i /dev/null');
      expect([refused.code, refused.stderr]).toEqual([
        1,
        expect.stringMatching(/Permission denied \(.*\n(?:.*\n)+.*does not let us in over ssh/),
      ]);
    } finally {
      await server.stop();
    }
  });
});
