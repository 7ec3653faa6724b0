import { csvFields } from '../core/csv.ts';
import { BuildError, suggestion } from '../core/errors.ts';
import { checkedFlags, refuseVariable } from './flags.ts';
import { checkMount } from './mount.ts';
import { commandLine, failure, missingArgument, type Statement } from './statement.ts';
import type { MountFlag, PartsOf, RunInstruction, Word } from './types.ts';
import { scanned } from './work.ts';

type RunParts = PartsOf<RunInstruction>;

const networks = ['default', 'none', 'host'] as const;
const securities = ['sandbox', 'insecure'] as const;

/** RUN: its command and what it is run with. Mount values are expanded later, in the stage. */
export function run(statement: Statement): RunParts {
  const flags = checkedFlags(statement);
  const network = oneOf(statement, flags.list('network')[0], 'network', networks);
  const security = oneOf(statement, flags.list('security')[0], 'security', securities);
  const command = commandLine(statement);
  if (command.form === 'shell' ? command.text === '' : command.args.length === 0) {
    throw missingArgument(statement, 'a command');
  }
  return {
    kind: 'run',
    command,
    mounts: flags.list('mount').map(mountFlag),
    ...(network !== undefined && { network }),
    ...(security !== undefined && { security }),
  };
}

/** Splits a `--mount` value into its options, as a line of CSV (RFC 4180 quotes). */
function mountFlag(word: Word): MountFlag {
  const options = fieldsOf(word).map((field) => {
    const equals = field.indexOf('=');
    if (equals < 0) return { key: field.toLowerCase(), value: undefined };
    return { key: field.slice(0, equals).toLowerCase(), value: field.slice(equals + 1) };
  });
  const from = options.find(({ key }) => key === 'from')?.value;
  if (from !== undefined) refuseVariable({ text: from, range: word.range }, 'from');
  const flag = { options, word };
  checkMount(flag);
  return flag;
}

function oneOf<Value extends string>(
  statement: Statement,
  word: Word | undefined,
  name: string,
  values: readonly Value[],
): Value | undefined {
  if (word === undefined) return undefined;
  const value = values.find((candidate) => candidate === word.text);
  if (value !== undefined) return value;
  const flag = statement.flags.find((one) => one.name === name)!;
  const hint = suggestion(word.text, values) ?? `It is one of ${values.join(', ')}.`;
  throw failure(statement, flag, `unsupported ${name} mode "${word.text}"`, hint);
}

function fieldsOf({ text, range }: Word): string[] {
  scanned(text.length);
  const fields = csvFields(text);
  if (fields !== undefined) return fields;
  const hint = 'A quote that begins an option ends it: "target=/a,b".';
  throw new BuildError('parse', 'an option of --mount has a quote that does not end', {
    location: range,
    hint,
  });
}
