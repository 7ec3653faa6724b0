import type { Command } from 'commander';
import type { PushCommand } from '../commands/push.ts';
import { usageError } from '../core/errors.ts';
import { parseAnnotations } from './annotations.ts';
import { keyOf, signFlag } from './attest-flags.ts';
import { addAll, addCommon, addRegistry, choice, flag, list } from './flags.ts';
import type { Host } from './host.ts';
import type { CommandSpec } from './spec.ts';
import { type Flags, progressFlags, shown, still } from './surround.ts';
import { parseChoice, parsePlatform } from './values.ts';

export const push: CommandSpec = {
  name: 'push',
  summary: 'send an image to a registry',
  define: definePush,
  run: (command, host) => runPush(command, host, { asIndex: false }),
};

/** The words of `push` and `manifest push`. */
export function definePush(command: Command): Command {
  const words = command.usage('[flags] NAME [DESTINATION]').argument('<name>').argument('[destination]');
  const output = [
    choice('--compression <kind>', 'gzip, zstd or uncompressed, for all layers', [
      'gzip',
      'zstd',
      'uncompressed',
    ]),
    list('--annotation <name=value>', 'annotate the manifest; index:NAME=VALUE the index'),
    signFlag(),
    flag('-q, --quiet', 'print the digest alone'),
    ...progressFlags(),
  ];
  return addCommon(addRegistry(addAll(words, 'Output:', output)));
}

interface PushFlags extends Flags {
  readonly compression?: string;
  readonly annotation?: readonly string[];
  readonly sign?: string;
}

export async function runPush(
  command: Command,
  host: Host,
  { asIndex }: { readonly asIndex: boolean },
): Promise<number> {
  const flags = command.opts<PushFlags>();
  const [name, destination] = command.args;
  const { compression, annotation = [] } = flags;
  const kinds = ['gzip', 'zstd', 'uncompressed'] as const;
  const options: PushCommand = {
    name: name!,
    asIndex,
    annotate: (made) => parseAnnotations(annotation, made),
    ...(destination !== undefined && { destination }),
    ...(flags.sign !== undefined && { sign: keyOf(flags.sign, host.cwd) }),
    ...(compression !== undefined && { compression: parseChoice('--compression', compression, kinds) }),
  };
  const { push } = await import('../commands/push.ts');
  return await shown('Pushing', { flags, host, images: command.args }, (here) => push(options, here));
}

export const pull: CommandSpec = {
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
    return await shown('Pulling', { flags, host, images: command.args }, (here) => pull(options, here));
  },
};

export const login: CommandSpec = {
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
      still(flags, host, command.args),
    );
    return 0;
  },
};

export const logout: CommandSpec = {
  name: 'logout',
  summary: 'forget the credentials of a registry',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags] REGISTRY').argument('<registry>'), 'Registry:', [
        flag('--authfile <file>', 'forget them in this file'),
      ]),
    ),
  run: async (command, host) => {
    const { logout } = await import('../commands/logout.ts');
    await logout(command.args[0]!, still(command.opts<Flags>(), host, command.args));
    return 0;
  },
};
