import type { Argument, Option } from 'commander';
import { isRepeatable } from './flags.ts';
import { commandOf } from './parse.ts';
import type { CommandSpec } from './spec.ts';

/** A command as its help tells of it: what man pages, completion and tables are made from. */
export interface CommandDefinition {
  readonly name: string;
  readonly summary: string;
  /** `[flags] NAME`, behind the name. */
  readonly usage: string;
  readonly flags: readonly FlagDefinition[];
  readonly words: readonly WordDefinition[];
  /** What else its help says, but for the examples. */
  readonly notes: string;
  /** Flags that stand for others, or have no effect: names of other builders. */
  readonly others: readonly string[];
}

export interface FlagDefinition {
  /** The long name last: `-f`, `--file`. */
  readonly names: readonly string[];
  /** Absent for a switch. */
  readonly value?: FlagValue;
  readonly group: string;
  readonly description: string;
  readonly isRepeatable: boolean;
}

export interface FlagValue {
  /** `file`, `name=value`: what stands for the value in help. */
  readonly valueName: string;
  /** It may be left out; written, it stands behind `=`. */
  readonly isOptional: boolean;
  /** The words that it may be, where there are only a few. */
  readonly choices: readonly string[];
}

export interface WordDefinition {
  readonly name: string;
  readonly isRepeatable: boolean;
}

/** What a command takes, as it is defined. */
export function definitionOf(spec: CommandSpec): CommandDefinition {
  const written: string[] = [];
  const command = commandOf(spec, (text) => void written.push(text));
  command.outputHelp();
  const help = command.helpInformation();
  const options = command.createHelp().visibleOptions(command);
  const hidden = command.options.filter((option) => option.hidden && !isInternal(option));
  return {
    name: spec.name,
    summary: spec.summary,
    usage: command.usage(),
    flags: options.map(flagOf),
    words: command.registeredArguments.map(wordOf),
    notes: written
      .filter((text) => text !== help)
      .join('')
      .trim(),
    others: [...Object.keys(spec.rewrites ?? {}), ...hidden.map((option) => option.long!)].sort(),
  };
}

/** Flags by which programs of ours speak with each other. */
function isInternal({ long }: Option): boolean {
  return long === '--events-fd';
}

function flagOf(option: Option): FlagDefinition {
  const { long, short, description, helpGroupHeading = 'General:' } = option;
  const valueName = /[<[](.*)[>\]]$/.exec(option.flags)?.[1];
  return {
    names: [short, long].filter((name) => name !== undefined),
    ...(valueName !== undefined && {
      value: { valueName, isOptional: !option.required, choices: option.argChoices ?? [] },
    }),
    group: helpGroupHeading.replace(/:$/, ''),
    description,
    isRepeatable: isRepeatable(option),
  };
}

function wordOf(argument: Argument): WordDefinition {
  return { name: argument.name(), isRepeatable: argument.variadic };
}
