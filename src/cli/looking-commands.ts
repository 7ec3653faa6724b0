import { resolve } from 'node:path';
import type { Command } from 'commander';
import { addAll, addCommon, addRegistry, flag, isolationFlag } from './flags.ts';
import type { CommandSpec } from './spec.ts';
import { columnsOf, type Flags, jsonFlag, still, wantsJson } from './surround.ts';
import { parseCount, parsePlatform } from './values.ts';

type LookingFlags = Flags & {
  readonly platform?: string;
  readonly top?: string;
  readonly times?: boolean;
  readonly history?: boolean;
  readonly all?: boolean;
  readonly exitCode?: boolean;
};

const layers: CommandSpec = {
  name: 'layers',
  summary: 'tell what the layers of an image hold, and what is wasted',
  define: (command) =>
    looking(command.usage('[flags] NAME').argument('<name>'), [
      flag('--top <count>', 'lines of each list at most (default: 10)'),
      jsonFlag(),
    ]),
  run: async (command, host) => {
    const flags = command.opts<LookingFlags>();
    const { layers } = await import('../commands/layers.ts');
    const options = {
      name: command.args[0]!,
      ...platformOf(flags),
      json: wantsJson(flags),
      top: parseCount('--top', flags.top ?? '10', 1),
      columns: columnsOf(host),
    };
    await layers(options, still(flags, host, command.args));
    return 0;
  },
};

const diff: CommandSpec = {
  name: 'diff',
  summary: 'tell what differs between two images',
  define: (command) =>
    looking(command.usage('[flags] A B').argument('<a>').argument('<b>'), [
      flag('--times', 'times count, too: of files, and of the images'),
      flag('--history', 'the steps that made them count, too'),
      flag('--all', 'list every file, also where there are very many'),
      flag('--exit-code', 'end with 1 where they differ'),
      jsonFlag(),
    ]),
  run: async (command, host) => {
    const flags = command.opts<LookingFlags>();
    const { times = false, history = false, all = false, exitCode = false } = flags;
    const { diff } = await import('../commands/diff.ts');
    const options = {
      names: [command.args[0]!, command.args[1]!] as const,
      ...platformOf(flags),
      json: wantsJson(flags),
      ...{ times, history, all },
      columns: columnsOf(host),
    };
    return (await diff(options, still(flags, host, command.args))) && exitCode ? 1 : 0;
  },
};

const mount: CommandSpec = {
  name: 'mount',
  summary: 'run a command that sees the files of an image',
  define: (command) =>
    addCommon(
      addRegistry(
        addAll(
          command
            .usage('[flags] NAME DIR -- CMD…')
            .argument('<name>')
            .argument('<dir>')
            .argument('<cmd...>')
            .addHelpText('after', mountHelp),
          'Image:',
          [
            platformFlag(),
            flag('--writable', 'let CMD change the files; what it changed is dropped at its end'),
            isolationFlag(),
          ],
        ),
      ),
    ),
  run: async (command, host) => {
    const flags = command.opts<LookingFlags & { readonly writable?: boolean }>();
    const [name = '', folder = '', ...args] = command.args;
    const { mount } = await import('../commands/mount.ts');
    const options = {
      name,
      ...platformOf(flags),
      folder: resolve(host.cwd, folder),
      args: args as [string, ...string[]],
      cwd: host.cwd,
      writable: flags.writable ?? false,
      terminal: [0, 1, 2].some((fd) => host.isTerminal(fd)),
    };
    return await mount(options, still(flags, host, [name]));
  },
};

const mountHelp = `
CMD alone sees the files, in DIR, which has to exist; they are gone when it
ends.`;

/** Commands that look into images, of the store or of a registry. */
export const lookingCommands: readonly CommandSpec[] = [layers, diff, mount];

function looking(command: Command, output: Parameters<typeof addAll>[2]): Command {
  return addCommon(addRegistry(addAll(addAll(command, 'Image:', [platformFlag()]), 'Output:', output)));
}

function platformFlag() {
  return flag('--platform <os/arch>', "of an image for several platforms (default: this machine's)");
}

function platformOf({ platform }: LookingFlags) {
  return platform === undefined ? {} : { platform: parsePlatform(platform) };
}
