import { resolve } from 'node:path';
import { usageError } from '../core/errors.ts';
import { parseAgents } from './agents.ts';
import { addAll, addCommon, addRegistry, flag, isolationFlag, list } from './flags.ts';
import { parseSecret } from './sources.ts';
import type { CommandSpec } from './spec.ts';
import { answered, columnsOf, eventsFlag, type Flags, jsonFlag, still, wantsJson } from './surround.ts';

const builds: CommandSpec = {
  name: 'builds',
  summary: 'list the builds that are remembered',
  define: (command) => addCommon(addAll(command.usage('[flags]'), 'Output:', [jsonFlag()])),
  run: async (command, host) => {
    const flags = command.opts<Flags>();
    const { builds } = await import('../commands/builds.ts');
    await builds({ json: wantsJson(flags), columns: columnsOf(host) }, still(flags, host));
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
    const request = { json: wantsJson(flags), words: command.args, columns: columnsOf(host) };
    return await answered(flags, host, () => explain(request, still(flags, host)));
  },
};

const stepHelp = `
BUILD is an id that \`tsbuild builds\` lists, or the start or end of one; without
it the last build is meant. STEP is a step's place ("builder 2/4"), its id (0/2)
or a stage.`;

type DebugFlags = Flags & {
  readonly command?: string;
  readonly secret?: readonly string[];
  readonly ssh?: readonly string[];
};

const debug: CommandSpec = {
  name: 'debug',
  summary: 'open a shell in the step that failed, as it was then',
  define: (command) =>
    addCommon(
      addRegistry(
        addAll(command.usage('[flags] [BUILD]').argument('[build]'), 'Process:', [
          flag('-c, --command <text>', 'let the shell run this, and end'),
          list('--secret <id=…>', 'a secret that the step had: none is kept'),
          list('--ssh <id[=where]>', 'an ssh agent that the step had'),
          isolationFlag(),
        ]),
      ).addHelpText('after', debugHelp),
    ),
  run: async (command, host) => {
    const flags = command.opts<DebugFlags>();
    const [build] = command.args;
    if (flags.command === undefined && !(host.isTerminal(0) && host.isTerminal(2)))
      throw usageError('a shell needs a terminal, and stdin or stderr is none', "Write -c 'COMMAND'.");
    const { debug } = await import('../commands/debug.ts');
    const options = {
      secrets: (flags.secret ?? []).map((text) => parseSecret(text, host)),
      ssh: parseAgents(flags.ssh ?? [], host),
      ...(build !== undefined && { build }),
      ...(flags.command !== undefined && { command: flags.command }),
    };
    return await debug(options, still(flags, host));
  },
};

const debugHelp = `
BUILD is an id that \`tsbuild builds\` lists, or the start or end of one; without
it the last step that failed is meant.`;

const report: CommandSpec = {
  name: 'report',
  summary: 'write a page about a build: its timeline, logs and layers',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags] [BUILD]').argument('[build]'), 'Output:', [
        flag('-o, --output <file>', 'where to; - for stdout (default: tsbuild-BUILD.html)'),
      ]).addHelpText('after', reportHelp),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags & { readonly output?: string }>();
    const { report } = await import('../commands/report.ts');
    const file = (id: string): string => flags.output ?? `tsbuild-${id}.html`;
    const path = await report(
      { build: command.args[0], file: (id) => (file(id) === '-' ? '-' : resolve(host.cwd, file(id))) },
      still(flags, host),
    );
    if (path !== '-') host.write(1, `${path}\n`);
    return 0;
  },
};

const reportHelp = `
The page needs nothing else, and asks nobody: it can be opened from disk, sent,
or kept with what a CI job made. BUILD is an id that \`tsbuild builds\` lists, or
the start or end of one; without it the last build is meant.`;

/** Commands about builds of the past. */
export const historyCommands: readonly CommandSpec[] = [builds, logs, explain, report, debug];
