import { buildCommand } from './build.ts';
import { commands } from './commands.ts';
import { completionCommand } from './completion-command.ts';
import type { CommandSpec } from './spec.ts';

/** Every command. */
export const allCommands: readonly CommandSpec[] = [
  ...[buildCommand, ...commands],
  completionCommand(() => allCommands),
];
