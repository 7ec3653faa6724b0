import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { usageError } from '../core/errors.ts';
import type { SshSource } from '../core/options.ts';

interface Near {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** `default`, `id=socket` or `id=key,key` of every `--ssh`; an id alone is the person's own agent. */
export function parseAgents(texts: readonly string[], near: Near): SshSource[] {
  const agents = texts.map((text) => parseAgent(text, near));
  const twice = agents.find(({ id }, at) => agents.findIndex((other) => other.id === id) < at);
  if (twice === undefined) return agents;
  throw usageError(
    `--ssh ${twice.id} is given twice`,
    'Give the second agent another id: --ssh NAME=SOCKET.',
  );
}

function parseAgent(text: string, { cwd, env }: Near): SshSource {
  const equals = text.indexOf('=');
  const id = equals < 0 ? text : text.slice(0, equals);
  if (id === '') throw usageError(`--ssh '${text}' has no id`, 'Write --ssh default, or --ssh id=SOCKET.');
  const written = equals < 0 ? [] : text.slice(equals + 1).split(',');
  const paths = written.filter((path) => path !== '').map((path) => resolve(cwd, path));
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined)
    throw usageError(`--ssh ${id}: there is no file ${missing}`, 'Name a socket of an agent, or keys.');
  return { id, paths: paths.length > 0 ? paths : [ownAgent(id, env.SSH_AUTH_SOCK)] };
}

function ownAgent(id: string, socket: string | undefined): string {
  if (socket) return socket;
  throw usageError(
    `--ssh ${id}: there is no ssh agent, for SSH_AUTH_SOCK is not set`,
    `Start one, or name private keys: --ssh ${id}=KEYFILE.`,
  );
}
