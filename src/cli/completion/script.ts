import { type CommandDefinition, definitionOf } from '../definitions.ts';
import type { CommandSpec } from '../spec.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { zshScript } from './zsh.ts';

const scripts: Readonly<Record<string, (all: readonly CommandDefinition[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** The script by which a shell completes commands, as they are defined. */
export function completionScript(shell: 'bash' | 'zsh' | 'fish', specs: readonly CommandSpec[]): string {
  return scripts[shell]!(specs.map(definitionOf));
}
