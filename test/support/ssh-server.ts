import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

/** Where Debian keeps it, off the PATH of ordinary people. */
export const sshd = '/usr/sbin/sshd';

export interface SshServer {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * A server on the loopback that lets in who has a key of `folder/authorized_keys`; its own key is `folder/host`. It
 * runs as whom `as` says: only that person can log in.
 */
export async function startSshServer(
  folder: string,
  as: (command: readonly string[]) => readonly string[],
): Promise<SshServer> {
  const port = await freePort();
  const settings = {
    ListenAddress: `127.0.0.1:${port}`,
    HostKey: join(folder, 'host'),
    AuthorizedKeysFile: join(folder, 'authorized_keys'),
    PidFile: 'none',
    StrictModes: 'no',
    UsePAM: 'no',
    PasswordAuthentication: 'no',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const [program = '', ...args] = as([sshd, '-D', '-e', '-f', '/dev/null', ...flags]);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const log = join(folder, 'sshd.log');
  child.stderr?.on('data', (chunk) => appendFileSync(log, chunk));
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(readFileSync(log, 'utf8'));
    await sleep(20);
  }
  return { port, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.on('connect', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
