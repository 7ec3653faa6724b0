import { addAll, addCommon } from './flags.ts';
import type { CommandSpec } from './spec.ts';
import { answered, eventsFlag, type Flags, jsonFlag, still, wantsJson } from './surround.ts';

const builds: CommandSpec = {
  name: 'builds',
  summary: 'list the builds that are remembered',
  define: (command) => addCommon(addAll(command.usage('[flags]'), 'Output:', [jsonFlag()])),
  run: async (command, host) => {
    const flags = command.opts<Flags>();
    const { builds } = await import('../commands/builds.ts');
    await builds({ json: wantsJson(flags) }, still(flags, host));
    return 0;
  },
};

const logs: CommandSpec = {
  name: 'logs',
  summary: 'print what the steps of a build wrote',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags] [BUILD] [STEP]').argument('[build]').argument('[step]'), 'Output:', [
        jsonFlag(),
      ]).addHelpText('after', stepHelp),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags>();
    const { logs } = await import('../commands/logs.ts');
    await logs({ json: wantsJson(flags), words: command.args }, still(flags, host));
    return 0;
  },
};

const explain: CommandSpec = {
  name: 'explain',
  summary: 'tell why the steps of a build ran',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags] [BUILD] [STEP]').argument('[build]').argument('[step]'), 'Output:', [
        jsonFlag(),
        eventsFlag(),
      ]).addHelpText('after', stepHelp),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags>();
    const { explain } = await import('../commands/explain.ts');
    const request = { json: wantsJson(flags), words: command.args };
    return await answered(flags, host, () => explain(request, still(flags, host)));
  },
};

const stepHelp = `
BUILD is an id that \`tsbuild builds\` lists, or an end of one; without it the
last build is meant. STEP is a step's place ("builder 2/4"), its id (0/2) or a
stage.
`;

/** Commands about builds of the past. */
export const historyCommands: readonly CommandSpec[] = [builds, logs, explain];
