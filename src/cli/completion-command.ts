import { addCommon } from './flags.ts';
import type { CommandSpec } from './spec.ts';
import { type Flags, still } from './surround.ts';
import { parseChoice } from './values.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** What the scripts ask for while somebody types. */
const lists = ['images', 'builds', 'caches'] as const;

/** `completion`: the words of `all` commands, as a script for a shell. */
export function completionCommand(all: () => readonly CommandSpec[]): CommandSpec {
  return {
    name: 'completion',
    summary: 'print a script that completes commands in a shell',
    define: (command) => addCommon(command.usage(`[flags] ${shells.join('|')}`).argument('<shell>')),
    run: async (command, host) => {
      const flags = command.opts<Flags>();
      const word = parseChoice('completion', command.args[0]!, [...shells, ...lists]);
      const shell = shells.find((name) => name === word);
      if (shell === undefined) {
        const { printNames } = await import('../commands/names.ts');
        await printNames(word as (typeof lists)[number], still(flags, host));
      } else {
        const { completionScript } = await import('./completion/script.ts');
        host.write(1, completionScript(shell, all()));
      }
      return 0;
    },
  };
}
