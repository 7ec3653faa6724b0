import { usageError } from '../core/errors.ts';
import { addCommon } from './flags.ts';
import type { CommandSpec } from './spec.ts';
import { type Flags, still } from './surround.ts';

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
      const word = command.args[0]!;
      const list = lists.find((name) => name === word);
      if (list === undefined) {
        const { completionScript } = await import('./completion/script.ts');
        host.write(1, completionScript(shellOf(word), all()));
      } else {
        const { printNames } = await import('../commands/names.ts');
        await printNames(list, still(flags, host));
      }
      return 0;
    },
  };
}

function shellOf(word: string): (typeof shells)[number] {
  const shell = shells.find((name) => name === word);
  if (shell !== undefined) return shell;
  throw usageError(`completion knows no shell '${word}'`, `It knows ${shells.join(', ')}.`);
}
