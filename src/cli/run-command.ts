import { usageError } from '../core/errors.ts';
import { addAll, addCommon, addRegistry, flag, isolationFlag, list, runtimeFlag } from './flags.ts';
import type { Host } from './host.ts';
import { type ProcessFlags, processFlags, processOptions } from './process-options.ts';
import type { CommandSpec } from './spec.ts';
import { type Flags, still } from './surround.ts';
import { parsePairs } from './values.ts';
import { parseVolume } from './volumes.ts';

type RunFlags = Flags &
  ProcessFlags & {
    readonly interactive?: boolean;
    readonly tty?: boolean;
    readonly env?: readonly string[];
    readonly volume?: readonly string[];
    readonly workdir?: string;
    readonly entrypoint?: string;
    readonly user?: string;
    readonly runtime?: string;
  };

export const run: CommandSpec = {
  name: 'run',
  summary: 'run one process in an image',
  passThrough: true,
  define: (command) =>
    addCommon(
      addRegistry(
        addAll(command.usage('[flags] NAME [CMD…]').argument('<name>').argument('[cmd...]'), 'Process:', [
          flag('-i, --interactive', 'let it read our stdin'),
          flag('-t, --tty', 'give it our terminal'),
          list('-e, --env <name=value>', 'set a variable; a name alone takes ours'),
          list(
            '-v, --volume <host:path>',
            'show it a file or folder of this machine; :ro protects it, :O drops what is written',
          ),
          flag('-w, --workdir <path>', 'where it starts'),
          flag('--entrypoint <program>', "run this instead of the image's entrypoint; '' takes it away"),
          flag('--user <user>', "the image's user, or a number, with :group where wanted"),
          ...processFlags(),
          isolationFlag(),
          runtimeFlag(),
          flag('--rm', 'accepted: nothing of the process is ever kept'),
        ]),
      ),
    ),
  run: async (command, host) => {
    const flags = command.opts<RunFlags>();
    const options = runOptions(flags, command.args, host);
    const { runImage } = await import('../commands/run.ts');
    return await runImage(options, still(flags, host, [options.name]));
  },
};

function runOptions(flags: RunFlags, [name, ...args]: readonly string[], host: Host) {
  const { workdir, entrypoint, user, runtime } = flags;
  const terminal = flags.tty ?? false;
  if (terminal && !(host.isTerminal(0) && host.isTerminal(1)))
    throw usageError('-t needs a terminal, and stdin or stdout is none', 'Leave -t away.');
  return {
    name: name!,
    args,
    terminal,
    interactive: flags.interactive ?? false,
    env: parsePairs('--env', flags.env ?? [], (variable) => host.env[variable]),
    volumes: (flags.volume ?? []).map((text) => parseVolume(text, host.cwd)),
    ...processOptions(flags),
    ...(workdir !== undefined && { workdir }),
    ...(entrypoint !== undefined && { entrypoint }),
    ...(user !== undefined && { user }),
    ...(runtime !== undefined && { runtime }),
  };
}
