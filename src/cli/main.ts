import { existsSync } from 'node:fs';
import { didYouMean, usageError } from '../core/errors.ts';
import { version } from '../core/version.ts';
import { allCommands } from './all-commands.ts';
import { splitCommand } from './argv.ts';
import { tellFailure } from './failure.ts';
import type { Host } from './host.ts';
import { familyText, overview } from './overview.ts';
import { parseCommand } from './parse.ts';
import type { CommandSpec } from './spec.ts';

/** Does what the arguments say; gives the exit code and never throws. */
export async function main(argv: readonly string[], host: Host): Promise<number> {
  try {
    return await dispatch(argv, host);
  } catch (error) {
    return await tellFailure(error, argv.includes('--debug') || argv.includes('-D'), host);
  }
}

async function dispatch(argv: readonly string[], host: Host): Promise<number> {
  const [first] = argv;
  if (first === undefined) {
    host.write(2, overview(allCommands));
    return 2;
  }
  if (first === '--version' || first === 'version') return tell(host, `tsbuild ${version()}\n`);
  if (isHelp(first) && argv.length === 1) return tell(host, overview(allCommands));
  const asked = isHelp(first) ? [...argv.slice(1), '--help'] : argv;
  const names = allCommands.map((spec) => spec.name);
  const [word, second = ''] = asked;
  if (asked.length === 2 && isHelp(second) && names.some((name) => name.startsWith(`${word} `)))
    return tell(host, familyText(word!, allCommands));
  const { name, args } = splitCommand(asked, names);
  if (args === asked) refuseMistyped(args, names);
  return await runCommand(allCommands.find((spec) => spec.name === name)!, args, host);
}

async function runCommand(spec: CommandSpec, args: readonly string[], host: Host): Promise<number> {
  const command = parseCommand(spec, args, (text) => host.write(1, text));
  return command === undefined ? 0 : await spec.run(command, host);
}

/** A word that is no path may be a command with a slip in it, and is one of another builder where more words follow. */
function refuseMistyped(args: readonly string[], names: readonly string[]): void {
  const [word, next] = args;
  if (word === undefined || !/^[a-z]+$/.test(word) || existsSync(word)) return;
  const near = didYouMean(word, names);
  if (near !== undefined) throw usageError(`unknown command ${word}`, `Did you mean \`tsbuild ${near}\`?`);
  if (next !== undefined && !next.startsWith('-'))
    throw usageError(`unknown command ${word}`, '`tsbuild --help` lists the commands.');
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h' || word === 'help';
}

function tell(host: Host, text: string): number {
  host.write(1, text);
  return 0;
}
