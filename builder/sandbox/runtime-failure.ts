import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '../../src/core/errors.ts';
import { hintFor, setupFailure } from './setup-failure.ts';
import type { Ended } from './supervise.ts';

const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** How crun and runc say that the command itself is the trouble. */
const notFound =
  /executable file.*not found|(?:exec:|exec \/|exec container process|open executable).*no such file/i;
const notExecutable =
  /(?:exec:|exec \/|exec container process|open executable).*(?:denied|not permitted|is a directory|format error|symbolic links)/i;

/**
 * The exit code of the step's command, told apart from failures around it. A command that is not there or cannot be
 * executed ends as a shell would say it (127, 126), the runtime's own words being in the step's stderr. What keeps a
 * step from starting at all throws `sandbox`.
 */
export function commandCode(ended: Ended, folder: string, runtime: string): number {
  const failed = ended.failures.find(({ fatal }) => fatal);
  if (failed !== undefined) throw setupFailure(failed);
  if (ended.code === 0) return 0;
  const complaint = runtimeComplaint(folder) ?? lastComplaint(ended);
  if (complaint === undefined) return ended.code;
  if (notFound.test(complaint)) return NOT_FOUND;
  if (notExecutable.test(complaint)) return NOT_EXECUTABLE;
  throw new BuildError('sandbox', `${runtime} could not start the step: ${complaint}`, hintFor(complaint));
}

/**
 * What the runtime itself logged as an error, without its repeated prefix: what it says about the command, else the
 * last. With a terminal crun may go on to complain that the command's process is gone.
 */
function runtimeComplaint(folder: string): string | undefined {
  const lines = read(join(folder, 'runtime.log')).split('\n').filter(Boolean).map(messageOf);
  const known = lines.filter((line) => line !== undefined);
  return known.find((line) => notFound.test(line) || notExecutable.test(line)) ?? known.at(-1);
}

function messageOf(line: string): string | undefined {
  try {
    const { level, msg } = JSON.parse(line) as { level?: string; msg?: string };
    return level === 'error' || level === 'fatal' ? msg : undefined;
  } catch {
    return line.replace(/^\d{4}-\S+: /, '');
  }
}

/** At the very end, when the image is the root already, runtimes can only write to the step's own stderr. */
function lastComplaint({ code, lastError }: Ended): string | undefined {
  const line = lastError.trimEnd().split('\n').at(-1) ?? '';
  return code === 1 ? /^(?:\d{4}-\S+: )?(exec (?:container process|\/).*)$/.exec(line)?.[1] : undefined;
}

function read(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
