import { resolve } from 'node:path';
import type { Surroundings } from '../commands/surroundings.ts';
import { usageError } from '../core/errors.ts';
import { errorLine, failureCode } from './failure.ts';
import {
  addAll,
  addCommon,
  addRegistry,
  type CommonFlags,
  flag,
  type RegistryFlags,
  registryOptions,
} from './flags.ts';
import type { Host } from './host.ts';
import { storeRoot } from './root.ts';
import { openShowing, type ShowingFlags } from './showing.ts';
import type { CommandSpec } from './spec.ts';
import { parseChoice, parseDuration, parsePlatform, parseSize } from './values.ts';

type Flags = CommonFlags & RegistryFlags & ShowingFlags & { readonly format?: string };

const images: CommandSpec = {
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

const inspect: CommandSpec = {
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

const history: CommandSpec = {
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

const tag: CommandSpec = {
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

const rmi: CommandSpec = {
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

const push: CommandSpec = {
  name: 'push',
  summary: 'send an image to a registry',
  define: (command) =>
    addCommon(
      addRegistry(
        addAll(
          command.usage('[flags] NAME [DESTINATION]').argument('<name>').argument('[destination]'),
          'Output:',
          [
            flag('--compression <kind>', 'gzip, zstd or uncompressed, for layers of our own'),
            flag('-q, --quiet', 'print the digest alone'),
            ...progressFlags(),
          ],
        ),
      ),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags & { readonly compression?: string }>();
    const [name, destination] = command.args;
    const { compression } = flags;
    const kinds = ['gzip', 'zstd', 'uncompressed'] as const;
    const options = {
      name: name!,
      ...(destination !== undefined && { destination }),
      ...(compression !== undefined && { compression: parseChoice('--compression', compression, kinds) }),
    };
    const { push } = await import('../commands/push.ts');
    return await shown('Pushing', { flags, host }, (here) => push(options, here));
  },
};

const pull: CommandSpec = {
  name: 'pull',
  summary: 'fetch an image from a registry',
  define: (command) =>
    addCommon(
      addRegistry(
        addAll(command.usage('[flags] NAME').argument('<name>'), 'Output:', [
          flag('--platform <os/arch>', 'the platform to fetch'),
          flag('-q, --quiet', 'print the image id alone'),
          ...progressFlags(),
        ]),
      ),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags & { readonly platform?: string }>();
    const { platform } = flags;
    const options = {
      name: command.args[0]!,
      ...(platform !== undefined && { platform: parsePlatform(platform) }),
    };
    const { pull } = await import('../commands/pull.ts');
    return await shown('Pulling', { flags, host }, (here) => pull(options, here));
  },
};

const save: CommandSpec = {
  name: 'save',
  summary: 'write an image to an archive',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags] NAME -o FILE').argument('<name>'), 'Output:', [
        flag('-o, --output <file>', 'the file; - is stdout'),
        flag('--format <kind>', 'oci-archive (default) or docker-archive'),
      ]),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags & { readonly output?: string }>();
    const format = parseChoice('--format', flags.format ?? 'oci-archive', [
      'oci-archive',
      'docker-archive',
    ] as const);
    const dest = flags.output ?? '-';
    if (dest === '-' && host.isTerminal(1))
      throw usageError('an archive would go to the terminal', 'Add -o FILE, or send stdout to a file.');
    const { save } = await import('../commands/save.ts');
    const options = { name: command.args[0]!, format, dest: dest === '-' ? dest : resolve(host.cwd, dest) };
    await save(options, still(flags, host));
    return 0;
  },
};

const load: CommandSpec = {
  name: 'load',
  summary: 'take the images of an archive into the store',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags] -i FILE'), 'Input:', [
        flag('-i, --input <file>', 'an archive or OCI layout folder; - is stdin'),
      ]),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags & { readonly input?: string }>();
    const input = flags.input ?? '-';
    if (input === '-' && host.isTerminal(0))
      throw usageError('no archive is named', 'Write tsbuild load -i FILE.');
    const { load } = await import('../commands/load.ts');
    await load({ source: input === '-' ? input : resolve(host.cwd, input) }, still(flags, host));
    return 0;
  },
};

const login: CommandSpec = {
  name: 'login',
  summary: 'keep the credentials of a registry',
  define: (command) =>
    addCommon(
      addRegistry(
        addAll(command.usage('[flags] REGISTRY').argument('<registry>'), 'Login:', [
          flag('-u, --username <name>', 'the user; asked for where absent'),
          flag('-p, --password <word>', 'the password; others may see it in the process list'),
          flag('--password-stdin', 'read the password from stdin'),
        ]),
      ),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags & { username?: string; password?: string; passwordStdin?: boolean }>();
    if (flags.password !== undefined && flags.passwordStdin)
      throw usageError('--password and --password-stdin exclude each other', 'Give one of them.');
    const { login } = await import('../commands/login.ts');
    await login(
      {
        registry: command.args[0]!,
        passwordFromStdin: flags.passwordStdin ?? false,
        ...(flags.username !== undefined && { username: flags.username }),
        ...(flags.password !== undefined && { password: flags.password }),
        mayAsk: host.isTerminal(0),
      },
      still(flags, host),
    );
    return 0;
  },
};

const logout: CommandSpec = {
  name: 'logout',
  summary: 'forget the credentials of a registry',
  define: (command) => addCommon(addRegistry(command.usage('[flags] REGISTRY').argument('<registry>'))),
  run: async (command, host) => {
    const { logout } = await import('../commands/logout.ts');
    await logout(command.args[0]!, still(command.opts<Flags>(), host));
    return 0;
  },
};

const prune: CommandSpec = {
  name: 'prune',
  summary: 'free what nothing needs any more',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags]'), 'Removal:', [
        flag('-a, --all', 'also what only the cache knows'),
        flag('--everything', 'images and cache mounts too'),
        flag('--keep-storage <size>', 'stop once no more than this is left'),
        flag('--filter <until=time>', 'only what was not used for so long: until=48h'),
      ]),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags & PruneFlags>();
    const { keepStorage, filter } = flags;
    const { prune } = await import('../commands/prune.ts');
    const options = {
      all: flags.all ?? false,
      everything: flags.everything ?? false,
      ...(keepStorage !== undefined && { keepBytes: parseSize('--keep-storage', keepStorage) }),
      ...(filter !== undefined && { until: parseUntil(filter) }),
    };
    await prune(options, still(flags, host));
    return 0;
  },
};

interface PruneFlags {
  readonly all?: boolean;
  readonly everything?: boolean;
  readonly keepStorage?: string;
  readonly filter?: string;
}

/** Seconds from `until=48h`. */
function parseUntil(text: string): number {
  if (!text.startsWith('until='))
    throw usageError(`--filter '${text}' is not known`, 'Write --filter until=48h.');
  return parseDuration('--filter until', text.slice(6)) / 1000;
}

const du: CommandSpec = {
  name: 'du',
  summary: 'tell what the store takes up',
  define: (command) => addCommon(addAll(command.usage('[flags]'), 'Output:', [jsonFlag()])),
  run: async (command, host) => {
    const flags = command.opts<Flags>();
    const { du } = await import('../commands/du.ts');
    await du({ json: wantsJson(flags) }, still(flags, host));
    return 0;
  },
};

/** The commands besides build, in the order of the overview. */
export const commands: readonly CommandSpec[] = [
  ...[push, pull, images, inspect, history, tag, rmi, save, load, du, prune, login, logout],
];

/** What a command gets that shows no progress: warnings are told as lines. */
function still(flags: Flags, host: Host): Surroundings {
  return {
    place: host.place,
    env: host.env,
    root: storeRoot(flags, host),
    registry: registryOptions(flags, (path) => resolve(host.cwd, path)),
    signal: host.signal,
    emit: (event) => {
      if (event.type === 'note' && event.level === 'warning') host.write(2, `warning: ${event.text}\n`);
    },
    print: (text) => host.write(1, text),
    say: (text) => host.write(2, text),
  };
}

/** Runs a command that shows its transfers; its own lines come after the picture. */
async function shown(
  title: string,
  { flags, host }: { readonly flags: Flags; readonly host: Host },
  work: (here: Surroundings) => Promise<void>,
): Promise<number> {
  const showing = await openShowing(flags, host, title);
  const late: [number, string][] = [];
  const here = {
    ...still(flags, host),
    emit: showing.emit,
    print: (text: string) => void late.push([1, text]),
    say: (text: string) => void (showing.mode === 'quiet' || late.push([2, text])),
  };
  try {
    await work(here);
    return 0;
  } catch (error) {
    if (showing.mode !== 'rawjson') throw error;
    showing.writeLine(errorLine(error, host));
    return failureCode(error, host);
  } finally {
    showing.close();
    for (const [fd, text] of late) host.write(fd, text);
  }
}

function jsonFlag() {
  return flag('--format <kind>', 'json');
}

function progressFlags() {
  const events = flag('--events-fd <number>', '').hideHelp();
  return [flag('--progress <mode>', 'auto (default), tty, plain, rawjson or quiet'), events];
}

function wantsJson(flags: { readonly format?: string }): boolean {
  return (
    flags.format !== undefined && parseChoice('--format', flags.format, ['json', 'table'] as const) === 'json'
  );
}
