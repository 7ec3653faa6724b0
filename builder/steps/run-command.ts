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
  if (script.kind === 'argument') return { args: [...shell, script.text], files: [] };
  const path = `/dev/pipes/${script.name}`;
  return { args: [...shell, path], files: [{ path, content: script.content }] };
}
