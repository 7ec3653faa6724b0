import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { errnoOf } from '../../src/core/errors.ts';
import type { Place } from '../../src/core/place.ts';
import { askOutside, feed, type OutsideOptions, type OutsideRun } from './outside-request.ts';

export interface OutsideResult {
  /** Exit code; 127 where the program is not installed, 126 where it is none that may be asked for. */
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/**
 * Runs a program as the person, outside our namespaces: through the launcher's helper where there is one
 * (`place.outside`), directly otherwise. The helper knows docker-credential-*, git, ssh, ssh-add, docker, podman and
 * pasta. Rejects with the signal's reason when aborted, after the program has ended.
 */
export async function runOutside(
  place: Pick<Place, 'outside'>,
  argv: readonly string[],
  options: OutsideOptions = {},
): Promise<OutsideResult> {
  options.signal?.throwIfAborted();
  const [out, err]: Buffer[][] = [[], []];
  const run = {
    ...options,
    stdout: options.stdout ?? ((chunk: Buffer) => void out!.push(chunk)),
    stderr: (chunk: Buffer): void => {
      err!.push(chunk);
      options.stderr?.(chunk);
    },
  };
  const code = await (place.outside === undefined
    ? runDirectly(argv, run)
    : askOutside(place.outside, argv, run));
  options.signal?.throwIfAborted();
  return { code, stdout: Buffer.concat(out!), stderr: Buffer.concat(err!) };
}

function runDirectly(
  argv: readonly string[],
  { stdin, signal, stdout, stderr, env, cwd }: OutsideRun,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0]!, argv.slice(1), {
      stdio: 'pipe',
      env: { ...process.env, ...env },
      ...(cwd !== undefined && { cwd }),
    });
    const stop = (): void => void child.kill('SIGTERM');
    signal?.addEventListener('abort', stop, { once: true });
    child.stdout.on('data', stdout);
    child.stderr.on('data', stderr);
    child.once('error', (error) => {
      stderr(Buffer.from(`${argv[0]}: ${error.message}\n`));
      // EACCES: no folder of PATH has it, and one of them may not be read.
      if (['ENOENT', 'EACCES'].includes(errnoOf(error) ?? '')) resolve(127);
      else reject(error);
    });
    child.once('close', (code, ended) => {
      signal?.removeEventListener('abort', stop);
      resolve(code ?? 128 + (ended === null ? 0 : constants.signals[ended]));
    });
    void feed(stdin, child.stdin).catch(stop);
  });
}
