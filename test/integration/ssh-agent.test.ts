import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SshAgent } from '../../builder/steps/ssh-agent.ts';
import { listenForAgent } from '../../builder/steps/ssh-listener.ts';
import { messagesIn } from '../../builder/steps/ssh-wire.ts';
import { sshAgent } from '../../src/build/ssh-source.ts';
import { must, run } from '../support/programs.ts';
import { temporaryFolder } from '../support/shared.ts';
import { skip } from '../support/skips.ts';

const needs = { programs: ['ssh-agent', 'ssh-add', 'ssh-keygen'] };
const kinds = [
  ['ed25519', []],
  ['rsa', ['-b', '2048']],
  ['rsa-pem', ['-t', 'rsa', '-b', '2048', '-m', 'PEM']],
  ['ecdsa-256', ['-t', 'ecdsa', '-b', '256']],
  ['ecdsa-384', ['-t', 'ecdsa', '-b', '384']],
  ['ecdsa-521', ['-t', 'ecdsa', '-b', '521', '-m', 'PKCS8']],
] as const;

describe.skipIf(skip('ssh agents', needs))('an ssh agent for a step', () => {
  const folder = temporaryFolder('ssh-agent');
  const keys = kinds.map(([name]) => join(folder.path, name));
  let real: ChildProcess;
  const realSocket = join(folder.path, 'real');

  beforeAll(async () => {
    for (const [name, flags] of kinds) await makeKey(name, flags, '');
    await makeKey('locked', [], 'passphrase');
    real = spawn('ssh-agent', ['-D', '-a', realSocket], { stdio: 'ignore' });
    while (!existsSync(realSocket)) await sleep(10);
    await must(['ssh-add', '-q', keys[0]!], { env: { ...process.env, SSH_AUTH_SOCK: realSocket } });
  });
  afterAll(async () => {
    const ended = new Promise((resolve) => real?.once('exit', resolve));
    real?.kill('SIGTERM');
    await ended;
    await folder[Symbol.asyncDispose]();
  });

  const makeKey = (name: string, flags: readonly string[], passphrase: string) => {
    const type = flags.includes('-t') ? [] : ['-t', name === 'rsa' ? 'rsa' : 'ed25519'];
    return must(['ssh-keygen', '-q', ...type, ...flags, '-N', passphrase, '-f', join(folder.path, name)]);
  };

  /** Offers an agent in a folder whose name is longer than any socket's address. */
  async function offered(paths: readonly string[], work: (socket: string) => Promise<void>): Promise<void> {
    const agent = (await sshAgent('default', [{ id: 'default', paths }])) as SshAgent;
    const place = join(folder.path, 'l'.repeat(120));
    mkdirSync(place);
    const short = join(folder.path, 'short');
    await must(['ln', '-sfn', place, short]);
    try {
      await using _ = await listenForAgent(agent, place, {
        mode: 0o640,
        uid: process.getuid!(),
        gid: process.getgid!(),
      });
      await work(join(short, 'agent'));
    } finally {
      expect(existsSync(join(place, 'agent'))).toBe(false);
      rmSync(place, { recursive: true });
    }
  }

  const ask = (socket: string, command: readonly string[], cwd = folder.path) =>
    run(command, { cwd, env: { PATH: process.env.PATH, SSH_AUTH_SOCK: socket, HOME: folder.path } });

  it('shows keys of ours as ssh-add would', async () => {
    await offered(keys, async (socket) => {
      const { stdout } = await ask(socket, ['ssh-add', '-L']);
      const blobs = (text: string) =>
        text
          .trim()
          .split('\n')
          .map((line) => line.split(' ').slice(0, 2));
      const written = keys.map((key) => readFileSync(`${key}.pub`, 'utf8')).join('');
      expect(blobs(stdout)).toEqual(blobs(written));
      expect(stdout).toContain('ecdsa-384\n');
    });
  });

  it('signs with keys of every kind', async () => {
    await offered(keys, async (socket) => {
      for (const key of keys) await expectSignature(socket, key);
    });
  });

  it('passes on what an agent signs, as often as it is asked', async () => {
    await offered([realSocket], async (socket) => {
      for (let i = 0; i < 3; i++) await expectSignature(socket, keys[0]!);
    });
  });

  it('lets nobody change the agent', async () => {
    await offered([realSocket], async (socket) => {
      expect((await ask(socket, ['ssh-add', '-D'])).code).not.toBe(0);
      expect((await ask(socket, ['ssh-add', '-d', keys[0]!])).code).not.toBe(0);
      expect((await ask(socket, ['ssh-add', keys[1]!])).code).not.toBe(0);
      expect((await ask(realSocket, ['ssh-add', '-l'])).stdout.trim().split('\n')).toHaveLength(1);
    });
  });

  it('answers the protocol, and hangs up on what is none', async () => {
    await offered([realSocket], async (socket) => {
      const lock = Buffer.from([0, 0, 0, 5, 22, 0, 0, 0, 0]);
      expect(await exchange(socket, lock)).toEqual(Buffer.from([5]));
      expect(await exchange(socket, Buffer.from('GET / HTTP/1.0\r\n\r\n'))).toBeUndefined();
      expect(await exchange(socket, Buffer.alloc(4))).toBeUndefined();
    });
  });

  it('has the owner and mode asked for', async () => {
    await offered([realSocket], async (socket) => {
      const { mode, uid } = lstatSync(socket);
      expect([mode & 0o777, uid]).toEqual([0o640, process.getuid!()]);
    });
  });

  it('tells which key it cannot use, and why', async () => {
    const text = join(folder.path, 'text');
    writeFileSync(text, 'no key');
    const refused = (...paths: string[]) => sshAgent('a', [{ id: 'a', paths }]);
    await expect(refused(join(folder.path, 'locked'))).rejects.toMatchObject({
      message: expect.stringContaining('locked is protected by a passphrase'),
      hint: expect.stringContaining('ssh-add'),
    });
    await expect(refused(text)).rejects.toThrow('is no private key');
    await expect(refused(`${keys[0]}.pub`)).rejects.toThrow('is no private key');
    await expect(refused(join(folder.path, 'none'))).rejects.toThrow('cannot be read (ENOENT)');
    await expect(refused(realSocket, keys[0]!)).rejects.toThrow('and something else');
    expect(await sshAgent('b', [])).toBeUndefined();
  });

  /** ssh-keygen signs through the agent and checks what it got. */
  async function expectSignature(socket: string, key: string): Promise<void> {
    const file = `${key}.text`;
    writeFileSync(file, 'to be signed');
    rmSync(`${file}.sig`, { force: true });
    const place = join(folder.path, 'public.pub');
    writeFileSync(place, readFileSync(`${key}.pub`));
    const signed = await ask(socket, ['ssh-keygen', '-Y', 'sign', '-U', '-f', place, '-n', 'file', file]);
    expect(signed.code, `${key}: ${signed.stderr}`).toBe(0);
    const check = ['ssh-keygen', '-Y', 'check-novalidate', '-n', 'file', '-s', `${file}.sig`];
    const checked = await run(check, { input: 'to be signed' });
    expect(checked.stdout + checked.stderr).toContain('Good "file" signature');
  }
});

/** The first reply to bytes, or undefined where the other side hangs up. */
async function exchange(path: string, bytes: Buffer): Promise<Buffer | undefined> {
  const socket = createConnection(path);
  socket.write(bytes);
  const { value } = await messagesIn(socket).next();
  socket.destroy();
  return value ?? undefined;
}
