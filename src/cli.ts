import { existsSync, fstatSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Host } from './cli/host.ts';
import { BuildError, errnoOf } from './core/errors.ts';
import { readPlace } from './core/place.ts';

const argv = process.argv.slice(2);
let host: Host;

/** Runs the command to its end and ends the process. `keepCode` keeps what was compiled for the next start. */
export type Run = (keepCode: () => void) => Promise<never>;

export const run: Run = async (keepCode) => {
  if (process.env.TSBUILD_ISOLATION === undefined) await startThroughLauncher();
  restoreAuthorities();
  host = { ...hostOf(listenToSignals()), keepCode };
  process.on('uncaughtException', (error) => void tellBug(error));
  const { main } = await import('./cli/main.ts');
  process.exit(await main(argv, host));
};

/**
 * `node dist/cli.js` becomes the installed command, which finds the namespaces and starts us again: same pid, terminal
 * and exit code. Where it cannot be started we go on as we are.
 */
async function startThroughLauncher(): Promise<void> {
  const launcher = fileURLToPath(new URL('../bin/tsbuild', import.meta.url));
  if (process.env.TSBUILD_LAUNCHED !== undefined || !existsSync(launcher)) return;
  const { execve } = await import('./sys/process.ts');
  const env = { ...process.env, TSBUILD_LAUNCHED: '1' };
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  execve('/bin/sh', ['sh', launcher, ...argv], words);
}

/** The launcher keeps them from Node's own start (bin/tsbuild). */
function restoreAuthorities(): void {
  const { TSBUILD_AUTHORITIES: file } = process.env;
  delete process.env.TSBUILD_AUTHORITIES;
  if (file) process.env.NODE_EXTRA_CA_CERTS = file;
}

interface Stopping {
  readonly signal: AbortSignal;
  readonly code: () => number | undefined;
}

/** The first SIGINT or SIGTERM stops the work; another SIGINT ends the process at once. */
function listenToSignals(): Stopping {
  const controller = new AbortController();
  let code: number | undefined;
  const stop = (name: string, exitCode: number): void => {
    if (code !== undefined) process.exit(code);
    code = exitCode;
    controller.abort(new BuildError('interrupted', `stopped by ${name}`));
  };
  process.on('SIGINT', () => stop('SIGINT', 130));
  process.on('SIGTERM', () => stop('SIGTERM', 143));
  return { signal: controller.signal, code: () => code };
}

function hostOf({ signal, code }: Stopping): Host {
  delete process.env.TSBUILD_LAUNCHED;
  return {
    place: readPlace(process.env),
    env: process.env,
    cwd: process.cwd(),
    signal,
    interrupted: code,
    write,
    isTerminal,
    size: () => ({ columns: process.stderr.columns || 80, rows: process.stderr.rows || 24 }),
    onResize: (listener) => {
      process.stderr.on('resize', listener);
      return () => process.stderr.off('resize', listener);
    },
    now: () => performance.now(),
  };
}

/** Writes at once, so that nothing is lost at exit; a reader that went away (EPIPE) is no error, and gives false. */
function write(fd: number, text: string | Buffer): boolean {
  let rest = typeof text === 'string' ? Buffer.from(text) : text;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const code = errnoOf(error);
      if (fd === 1 && code !== 'EPIPE' && code !== 'EAGAIN')
        throw new BuildError('output', `the result cannot be written to stdout (${code})`);
      if (code !== 'EAGAIN') return false;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  return true;
}

/** Loads Node's terminal code only for a device that may be one. */
function isTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && process.getBuiltinModule('node:tty').isatty(fd);
  } catch {
    return false;
  }
}

async function tellBug(error: unknown): Promise<never> {
  const { tellFailure } = await import('./cli/failure.ts');
  process.exit(await tellFailure(error, argv.includes('--debug') || argv.includes('-D'), host));
}
