import { resolve } from 'node:path';
import type { BindVolume } from '../commands/run.ts';
import { usageError } from '../core/errors.ts';
import { addAll, addCommon, addRegistry, flag, isolationFlag, list } from './flags.ts';
import type { Host } from './host.ts';
import { type ProcessFlags, processFlags, processOptions } from './process-options.ts';
import type { CommandSpec } from './spec.ts';
import { type Flags, still } from './surround.ts';
import { parsePairs } from './values.ts';

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
            'show it a file or folder of this machine; :ro behind it protects it',
          ),
          flag('-w, --workdir <path>', 'where it starts'),
          flag('--entrypoint <program>', "run this instead of the image's entrypoint; '' takes it away"),
          flag('--user <user>', "the image's user, or a number, with :group where wanted"),
          ...processFlags(),
          isolationFlag(),
          flag('--runtime <program>', 'builtin (default), crun, runc or a path'),
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

/** `HOST:PATH[:ro|rw]`; a host path has a slash or a dot, so that no volume's name is taken for one. */
export function parseVolume(text: string, cwd: string): BindVolume {
  const form = 'Write -v ./FOLDER:/PATH or -v /FOLDER:/PATH:ro.';
  const [source = '', target = '', mode = 'rw', extra] = text.split(':');
  if (source === '' || !target.startsWith('/') || extra !== undefined)
    throw usageError(`--volume '${text}' is not HOST:PATH`, form);
  if (!source.includes('/') && !source.startsWith('.'))
    throw usageError(`--volume '${text}': tsbuild keeps no named volumes`, form);
  if (mode !== 'ro' && mode !== 'rw') throw usageError(`--volume does not know '${mode}'`, form);
  if (/^\/+$/.test(target)) throw usageError('a volume cannot hide the whole root', form);
  return { source: resolve(cwd, source), target, readonly: mode === 'ro' };
}
