import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment; default: this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Uint8Array;
  /** Milliseconds after which it is killed and counts as failed. */
  readonly limitMs?: number;
  /** Called with the process once it runs, for tests that send signals. */
  readonly started?: (pid: number) => void;
}

export interface Outcome {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; never throws because of how it ended. */
export function run(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: options.cwd, env: options.env as NodeJS.ProcessEnv });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const timer = setTimeout(() => child.kill('SIGKILL'), options.limitMs ?? 240_000);
    child.stdout.on('data', (data: Buffer) => out.push(data));
    child.stderr.on('data', (data: Buffer) => err.push(data));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout: String(Buffer.concat(out)), stderr: String(Buffer.concat(err)) });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    if (child.pid !== undefined) options.started?.(child.pid);
  });
}

/** As `run`, but an exit other than 0 is an error that carries the output. Gives stdout. */
export async function must(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const outcome = await run(command, options);
  if (outcome.code === 0) return outcome.stdout;
  const end = outcome.signal ?? `exit ${outcome.code}`;
  throw new Error(
    `${command.join(' ')}: ${end}\n${outcome.stdout.slice(-4000)}${outcome.stderr.slice(-8000)}`,
  );
}
