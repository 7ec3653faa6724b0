import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment; default: this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Uint8Array;
  /** Milliseconds after which it is killed and counts as failed. */
  readonly limitMs?: number;
  /** In a process group of its own, so that a signal can be sent to all of it, as a terminal does. */
  readonly group?: boolean;
  /** Called with the process once it runs, for tests that send signals. */
  readonly started?: (pid: number) => void;
  /** Called with all output so far, whenever there is more. */
  readonly said?: (output: string, pid: number) => void;
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
    const env = options.env as NodeJS.ProcessEnv;
    const child = spawn(program, args, { cwd: options.cwd, env, detached: options.group === true });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    const keep = (kept: Buffer[]) => (data: Buffer) => {
      kept.push(data);
      options.said?.(String(Buffer.concat([...out, ...err])), child.pid ?? 0);
    };
    const timer = setTimeout(() => child.kill('SIGKILL'), options.limitMs ?? 240_000);
    child.stdout.on('data', keep(out));
    child.stderr.on('data', keep(err));
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
