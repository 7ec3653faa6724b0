import { Command, CommanderError, Option } from 'commander';
import { usageError } from '../core/errors.ts';
import { normalise } from './argv.ts';
import { examplesText } from './examples.ts';
import type { CommandSpec } from './spec.ts';

/**
 * The arguments of a command, taken apart; undefined when help was asked for and written. Fails with `usage`.
 */
export function parseCommand(
  spec: CommandSpec,
  args: readonly string[],
  write: (text: string) => void,
): Command | undefined {
  const command = commandOf(spec, write).addHelpText('after', () => examplesText(spec.name).trimEnd());
  const { rewrites = {}, passThrough = false } = spec;
  const words = normalise(args, { command: spec.name, options: command.options, rewrites, passThrough });
  try {
    return command.parse(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw usageError(refusal(error, command), `Write tsbuild ${spec.name} ${command.usage()}.`);
  }
}

/** The commander command of a spec: it never exits and never prints an error by itself. */
export function commandOf(spec: CommandSpec, write: (text: string) => void): Command {
  const command: Command = new Command(spec.name);
  command
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: () => {}, getOutHelpWidth: () => 80 })
    .configureHelp({
      commandUsage: (): string => `tsbuild ${spec.name} ${command.usage()}`,
      optionDescription: ({ description }): string => description,
    })
    .addHelpOption(new Option('-h, --help', 'show this').helpGroup('General:'));
  return spec.define(command).description(spec.summary);
}

/** Commander's own words, but for a word too much: it is named. */
function refusal({ code, message }: CommanderError, command: Command): string {
  const extra = command.args[command.registeredArguments.length];
  if (code !== 'commander.excessArguments') return message.replace(/^error: /, '');
  return `${command.name()} does not take '${extra}'`;
}
