import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { usageError } from '../core/errors.ts';
import type { Surroundings } from './surroundings.ts';
import { openRegistry } from './wiring.ts';

export interface LoginCommand {
  readonly registry: string;
  readonly username?: string;
  readonly password?: string;
  readonly passwordFromStdin: boolean;
  /** stdin is a terminal, so the person can be asked. */
  readonly mayAsk: boolean;
}

/** Checks a user and password with a registry and keeps them where docker and podman find them. */
export async function login(options: LoginCommand, here: Surroundings): Promise<void> {
  const host = hostOf(options.registry);
  const { username, password } = await credentialsOf(options, here);
  await using registry = openRegistry(here.registry, here.place);
  await registry.checkLogin(host, username, password, here.signal);
  const place = await registry.credentials.writeLogin(host, username, password);
  here.say(`logged in to ${host}; the login is kept in ${place}\n`);
}

/** The host that a person means: without scheme and path. Fails with `usage`. */
export function hostOf(registry: string): string {
  const host = registry.replace(/^(https?|docker):\/\//, '').replace(/\/.*$/, '');
  if (!/^[A-Za-z0-9.-]+(:\d+)?$|^\[[0-9a-fA-F:]+\](:\d+)?$/.test(host))
    throw usageError(`'${registry}' is not a registry`, 'Write a host, such as ghcr.io or localhost:5000.');
  return host.toLowerCase();
}

async function credentialsOf(
  options: LoginCommand,
  here: Surroundings,
): Promise<{ readonly username: string; readonly password: string }> {
  const creds = here.registry.creds;
  if (creds !== undefined)
    return { username: creds.replace(/:.*/s, ''), password: creds.replace(/^[^:]*:/, '') };
  const username = options.username ?? (await ask('Username: ', { options, here, hidden: false }));
  if (username === '' || username.includes(':'))
    throw usageError('the user name is empty or holds a colon', 'Write -u NAME.');
  const password = await passwordOf(options, here);
  if (password === '') throw usageError('the password is empty', 'Send it through --password-stdin.');
  return { username, password };
}

async function passwordOf(options: LoginCommand, here: Surroundings): Promise<string> {
  if (options.password !== undefined) {
    here.say('warning: a password on the command line can be seen by others; --password-stdin is safer\n');
    return options.password;
  }
  if (options.passwordFromStdin) return readFileSync(0, 'utf8').replace(/\r?\n$/, '');
  return ask('Password: ', { options, here, hidden: true });
}

interface Question {
  readonly options: LoginCommand;
  readonly here: Surroundings;
  readonly hidden: boolean;
}

/** Asks the person at the terminal; a hidden answer is not echoed. */
async function ask(question: string, { options, here, hidden }: Question): Promise<string> {
  if (!options.mayAsk)
    throw usageError(
      `login needs ${hidden ? 'a password' : 'a user name'}`,
      'Write -u NAME --password-stdin.',
    );
  // With `terminal`, readline echoes by itself, so what it echoes to decides whether anything is seen.
  const output = hidden ? new Writable({ write: (_chunk, _encoding, done) => done() }) : process.stderr;
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  // Only now: what is typed before would be echoed by the terminal itself.
  if (hidden) here.say(question);
  try {
    // readline clears the line before it writes its question, so a question that is seen must be its own.
    return await terminal.question(hidden ? '' : question, { signal: here.signal });
  } finally {
    terminal.close();
    if (hidden) here.say('\n');
  }
}
