import type { SandboxIo, SandboxProcess } from './plan.ts';
import { errnoText, setupFailure } from './setup-failure.ts';
import type { Ended } from './supervise.ts';

const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/**
 * The command's exit code. A command that is not there or cannot be executed ends as a shell would say it (127, 126), and is
 * told on the step's stderr; what keeps a step from starting at all throws `sandbox`.
 */
export function commandCode(
  { code, failures }: Pick<Ended, 'code' | 'failures'>,
  { process }: { readonly process: Pick<SandboxProcess, 'args'> },
  io: Pick<SandboxIo, 'stderr'>,
): number {
  const fatal = failures.find((failure) => failure.fatal);
  if (fatal === undefined) return code;
  if (fatal.call.name !== 'execve') throw setupFailure(fatal);
  const name = process.args[0]!;
  const other = failures.find(({ errno }) => errno !== 'ENOENT' && errno !== 'ENOTDIR');
  const where = name.includes('/') ? '' : ' on PATH';
  io.stderr(
    Buffer.from(`exec: ${name}: ${other === undefined ? `not found${where}` : errnoText(other.errno)}\n`),
  );
  return other === undefined ? NOT_FOUND : NOT_EXECUTABLE;
}
