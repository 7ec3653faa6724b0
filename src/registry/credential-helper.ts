import { spawn } from 'node:child_process';
import { BuildError, errnoOf } from '../core/errors.ts';
import type { Secret } from './secret.ts';

interface OutsideResult {
  /** Exit code; 127 when there is no such program. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs one program as the person, outside of any namespace of ours, with `stdin` as its whole input. The signal ends the
 * program; whether the promise settles then does not matter.
 */
export type RunOutside = (
  argv: readonly string[],
  stdin: string,
  signal: AbortSignal,
) => Promise<OutsideResult>;

/** Runs the program as a plain child: right where no namespace was entered. */
export const runDirectly: RunOutside = (argv, stdin, signal) =>
  new Promise((resolve, reject) => {
    const [program = '', ...args] = argv;
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    // A helper may end without reading its input.
    child.stdin.on('error', () => {}).end(stdin);
    child.on('error', (error) => {
      // EACCES: no folder of PATH has it, and one of them may not be read.
      if (['ENOENT', 'EACCES'].includes(errnoOf(error) ?? '')) resolve({ code: 127, stdout: '', stderr: '' });
      else reject(error);
    });
    child.on('close', (code) => {
      resolve({
        code: code ?? 1,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      });
    });
  });

/** How helpers are run. */
export interface HelperOptions {
  readonly runOutside: RunOutside;
  /** What a helper may take, a person's answer to its question included; default two minutes. */
  readonly helperLimitMs?: number | undefined;
}

/**
 * Asks `docker-credential-<name> get` for a server's secret; undefined when the helper has none. The server goes in
 * as a plain line, the answer comes as JSON, complaints come on stdout (spec: registry.md §4.1): they are told apart,
 * and never shown, for they may hold the secret.
 */
export async function askHelper(
  name: string,
  server: string,
  options: HelperOptions,
): Promise<Secret | undefined> {
  const result = await runHelper(name, { action: 'get', stdin: server }, options);
  if (result.code !== 0) {
    if (result.stdout.trim() === notFound) return undefined;
    throw failed(name, 'get', result);
  }
  const { Username: username, Secret: secret } = parseAnswer(name, result.stdout);
  if (username === '<token>') return { type: 'identity', username, token: secret };
  return username === '' && secret === '' ? undefined : { type: 'password', username, password: secret };
}

export async function storeWithHelper(
  name: string,
  login: { readonly server: string; readonly username: string; readonly password: string },
  options: HelperOptions,
): Promise<void> {
  const entry = JSON.stringify({ ServerURL: login.server, Username: login.username, Secret: login.password });
  const result = await runHelper(name, { action: 'store', stdin: entry }, options);
  if (result.code !== 0) throw failed(name, 'store', result);
}

/** False when the helper knew nothing of the server. */
export async function eraseWithHelper(
  name: string,
  server: string,
  options: HelperOptions,
): Promise<boolean> {
  const result = await runHelper(name, { action: 'erase', stdin: server }, options);
  if (result.code === 0) return true;
  if (result.stdout.trim() === notFound) return false;
  throw failed(name, 'erase', result);
}

const notFound = 'credentials not found in native keychain';

async function runHelper(
  name: string,
  { action, stdin }: { readonly action: string; readonly stdin: string },
  { runOutside, helperLimitMs = 120_000 }: HelperOptions,
): Promise<OutsideResult> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new BuildError('registry', 'a configured credential helper has a name that no program can have', {
      hint: 'credsStore and credHelpers hold the part after `docker-credential-`, as in `secretservice`.',
    });
  }
  const program = `docker-credential-${name}`;
  const limit = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(hangs(program, action, helperLimitMs));
      limit.abort();
    }, helperLimitMs);
  });
  try {
    return await Promise.race([runOutside([program, action], stdin, limit.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

function hangs(program: string, action: string, limitMs: number): BuildError {
  return new BuildError('registry', `${program} ${action} did not end within ${limitMs / 1000} s`, {
    hint: `It may wait for a person: try it by hand, echo HOST | ${program} get, or take it out of the configuration file.`,
  });
}

function parseAnswer(name: string, stdout: string): { Username: string; Secret: string } {
  try {
    const answer = JSON.parse(stdout) as { Username?: unknown; Secret?: unknown } | null;
    if (typeof answer?.Username === 'string' && typeof answer.Secret === 'string') {
      return { Username: answer.Username, Secret: answer.Secret };
    }
  } catch {
    // The parser's own words would quote the secret.
  }
  throw new BuildError(
    'registry',
    `the credential helper docker-credential-${name} answered something unreadable`,
    {
      hint: `Try it by hand: echo HOST | docker-credential-${name} get`,
    },
  );
}

function failed(name: string, action: string, result: OutsideResult): BuildError {
  const program = `docker-credential-${name}`;
  if (result.code === 127 && result.stdout === '') {
    return new BuildError('registry', `the credential helper ${program} is configured but not installed`, {
      hint: 'Install it, or take it out of credsStore/credHelpers in the configuration file.',
    });
  }
  return new BuildError('registry', `${program} ${action} failed with exit code ${result.code}`, {
    hint: `It says why when it is run by hand: echo HOST | ${program} get`,
  });
}
