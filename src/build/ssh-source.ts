import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { agentAt, type SshAgent } from '../../builder/steps/ssh-agent.ts';
import type { Identity } from '../../builder/steps/ssh-keyring.ts';
import { BuildError, errnoOf } from '../core/errors.ts';
import type { SshSource } from '../core/options.ts';

const LARGEST_KEY = 100 * 1024;

/**
 * The agent that was given under an id: one that listens on a socket, or one of ours with keys of the person. Undefined
 * where none was given. Fails with `not-found`, and with `usage` for what is neither a socket nor keys.
 */
export async function sshAgent(id: string, sources: readonly SshSource[]): Promise<SshAgent | undefined> {
  const source = sources.find((one) => one.id === id);
  if (source === undefined) return undefined;
  const sockets = await Promise.all(source.paths.map((path) => isSocket(path, id)));
  if (!sockets.includes(true)) return await keysOf(source);
  if (sockets.length === 1) return agentAt(source.paths[0]!);
  throw new BuildError('usage', `--ssh ${id} names an agent's socket and something else`, {
    hint: 'Name one socket, or only keys.',
  });
}

async function isSocket(path: string, id: string): Promise<boolean> {
  try {
    return (await stat(path)).isSocket();
  } catch (error) {
    throw unreadable(path, id, error);
  }
}

/** What signs with keys is loaded only where there are some. */
async function keysOf({ id, paths }: SshSource): Promise<SshAgent> {
  const { keyring } = await import('../../builder/steps/ssh-keyring.ts');
  return keyring(await Promise.all(paths.map((path) => identityAt(path, id))));
}

async function identityAt(path: string, id: string): Promise<Identity> {
  const { readKey, UnusableKey } = await import('../../builder/steps/ssh-key.ts');
  const text = await keyText(path, id);
  try {
    return { key: readKey(text), comment: basename(path) };
  } catch (error) {
    if (!(error instanceof UnusableKey)) throw error;
    throw new BuildError('usage', `--ssh ${id}: ${path} ${error.message}`, {
      hint: 'Add the key to an agent with ssh-add, and give that agent with --ssh default.',
    });
  }
}

async function keyText(path: string, id: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    return bytes.length > LARGEST_KEY ? '' : bytes.toString('latin1');
  } catch (error) {
    throw unreadable(path, id, error);
  }
}

function unreadable(path: string, id: string, error: unknown): BuildError {
  return new BuildError('not-found', `--ssh ${id}: ${path} cannot be read (${errnoOf(error)})`, {
    cause: error,
    hint: `Name the socket of an agent, or private keys: --ssh ${id}=FILE.`,
  });
}
