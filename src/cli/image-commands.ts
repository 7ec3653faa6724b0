import { addAll, addCommon, flag } from './flags.ts';
import type { CommandSpec } from './spec.ts';
import { type Flags, jsonFlag, still, wantsJson } from './surround.ts';

export const images: CommandSpec = {
  name: 'images',
  summary: 'list the images of the store',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags]'), 'Output:', [flag('-q, --quiet', 'print the ids alone'), jsonFlag()]),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags>();
    const { images } = await import('../commands/images.ts');
    await images({ json: wantsJson(flags), quiet: flags.quiet ?? false }, still(flags, host));
    return 0;
  },
};

export const inspect: CommandSpec = {
  name: 'inspect',
  summary: 'print what an image is made of, as JSON',
  define: (command) =>
    addCommon(addAll(command.usage('[flags] NAME…').argument('<name...>'), 'Output:', [jsonFlag()])),
  run: async (command, host) => {
    const flags = command.opts<Flags>();
    wantsJson(flags);
    const { inspect } = await import('../commands/inspect.ts');
    await inspect(command.args, still(flags, host));
    return 0;
  },
};

export const history: CommandSpec = {
  name: 'history',
  summary: 'list the steps that made an image',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags] NAME').argument('<name>'), 'Output:', [
        flag('--no-trunc', 'do not cut the steps'),
        jsonFlag(),
      ]),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags & { readonly trunc: boolean }>();
    const { history } = await import('../commands/history.ts');
    const options = { name: command.args[0]!, json: wantsJson(flags), whole: !flags.trunc };
    await history(options, still(flags, host));
    return 0;
  },
};

export const tag: CommandSpec = {
  name: 'tag',
  summary: 'give an image another name',
  define: (command) => addCommon(command.usage('NAME NEW').argument('<name>').argument('<new>')),
  run: async (command, host) => {
    const [name, added] = command.args;
    const { tag } = await import('../commands/tag.ts');
    await tag({ name: name!, added: added! }, still(command.opts<Flags>(), host));
    return 0;
  },
};

export const rmi: CommandSpec = {
  name: 'rmi',
  summary: 'remove names; an image goes with its last one',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags] NAME…').argument('<name...>'), 'Removal:', [
        flag('-f, --force', 'remove an image by id with all its names'),
      ]),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags & { readonly force?: boolean }>();
    const { rmi } = await import('../commands/rmi.ts');
    await rmi({ names: command.args, force: flags.force ?? false }, still(flags, host));
    return 0;
  },
};
