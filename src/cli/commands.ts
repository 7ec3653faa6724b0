import { load, save } from './archive-commands.ts';
import { bake } from './bake-command.ts';
import { cacheCommands } from './cache-commands.ts';
import { composeBuild } from './compose-command.ts';
import { historyCommands } from './history-commands.ts';
import { history, images, inspect, rmi, tag } from './image-commands.ts';
import { lookingCommands } from './looking-commands.ts';
import { manifestCommands } from './manifest-commands.ts';
import { login, logout, pull, push } from './registry-commands.ts';
import { run } from './run-command.ts';
import type { CommandSpec } from './spec.ts';
import { doctor, du, prune } from './upkeep-commands.ts';

/** The commands besides build, in the order of the overview. */
export const commands: readonly CommandSpec[] = [
  ...[push, pull, run, images, inspect, history, tag, rmi, save, load, ...manifestCommands],
  ...lookingCommands,
  ...[bake, composeBuild],
  ...historyCommands,
  ...[du, prune, ...cacheCommands, doctor, login, logout],
];
