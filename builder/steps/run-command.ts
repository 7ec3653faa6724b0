import { basename } from 'node:path/posix';
import { scriptOf } from '../../src/containerfile/heredoc.ts';
import type { CommandLine } from '../../src/containerfile/types.ts';

/** What RUN executes. */
export interface RunCommand {
  readonly args: readonly string[];
  /** Files that exist only while the step runs (a heredoc with its own interpreter). */
  readonly files: readonly { readonly path: string; readonly content: string }[];
}

/** Turns a RUN's command into arguments and the files they name. */
export function commandOf(command: CommandLine, shell: readonly string[]): RunCommand {
  if (command.form === 'exec') return { args: command.args, files: [] };
  const script = scriptOf(command);
  if (script.kind !== 'file') return { args: [...shell, script.text], files: [] };
  const path = `/dev/pipes/${script.name}`;
  return { args: [...shell, path], files: [{ path, content: script.content }] };
}

/** Shells that know `-e` as sh does. */
const SHELLS = ['sh', 'bash', 'dash', 'ash', 'ksh', 'mksh', 'zsh'];

/**
 * The shell that ends at the first command that fails, for a command that is nothing but a heredoc (extension
 * `errexit-heredocs`). Other commands and other shells stay as they are.
 */
export function strictShell(command: CommandLine, shell: readonly string[]): readonly string[] {
  if (command.form === 'exec' || scriptOf(command).kind !== 'body') return shell;
  const [program = '', ...flags] = shell;
  const isShell = SHELLS.includes(basename(program)) && /^-\w*c$/.test(flags.at(-1) ?? '');
  return isShell ? [program, '-e', ...flags] : shell;
}
