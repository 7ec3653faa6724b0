import { addCommon, addRegistry } from './flags.ts';
import { definePush, runPush } from './registry-commands.ts';
import type { CommandSpec } from './spec.ts';
import { type Flags, still } from './surround.ts';

const create: CommandSpec = {
  name: 'manifest create',
  summary: 'join images for several platforms under one name',
  define: (command) =>
    addCommon(addRegistry(command.usage('[flags] NAME IMAGE…').argument('<name>').argument('<image...>'))),
  run: async (command, host) => {
    const [name, ...images] = command.args;
    const { createManifest } = await import('../commands/manifest.ts');
    await createManifest({ name: name!, images }, still(command.opts<Flags>(), host, command.args));
    return 0;
  },
};

const inspect: CommandSpec = {
  name: 'manifest inspect',
  summary: 'print the manifest or index of a name, as JSON',
  define: (command) => addCommon(addRegistry(command.usage('[flags] NAME').argument('<name>'))),
  run: async (command, host) => {
    const { inspectManifest } = await import('../commands/manifest.ts');
    await inspectManifest(command.args[0]!, still(command.opts<Flags>(), host, command.args));
    return 0;
  },
};

const push: CommandSpec = {
  name: 'manifest push',
  summary: 'send images and the index that names them to a registry',
  define: definePush,
  run: (command, host) => runPush(command, host, { asIndex: true }),
};

export const manifestCommands: readonly CommandSpec[] = [create, inspect, push];
