import { execFile } from 'node:child_process';
import { searchPath } from '../../builder/sandbox/programs.ts';

/** How something went that was tried in a child. */
export interface Attempt {
  readonly works: boolean;
  /** The first line that it said. */
  readonly said: string;
  /** All of its stdout. */
  readonly told: string;
}

/** Longer than any attempt takes; only one that hangs comes so far. */
const PATIENCE_MS = 20_000;

/** Runs a command line, with nothing to read. */
export function attempt([program, ...args]: readonly string[], cwd = '/'): Promise<Attempt> {
  const env = { ...process.env, PATH: searchPath(), LC_ALL: 'C' };
  return new Promise((resolve) => {
    const child = execFile(program!, args, { cwd, env, timeout: PATIENCE_MS }, (error, stdout, stderr) => {
      const said = `${stderr.trim()}\n${stdout.trim()}`.trim().split('\n')[0] ?? '';
      resolve({ works: error === null, said, told: stdout });
    });
    child.stdin?.end();
  });
}
