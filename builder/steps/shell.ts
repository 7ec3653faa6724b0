/** SHELL, or the one that runs the shell form where none is set. */
export function shellOf(shell: readonly string[] | undefined): readonly string[] {
  return shell !== undefined && shell.length > 0 ? shell : ['/bin/sh', '-c'];
}
