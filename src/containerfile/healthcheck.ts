import { suggestion } from '../core/errors.ts';
import { parseDuration } from './durations.ts';
import { checkedFlags, type Flags } from './flags.ts';
import { argsText, commandLine, failure, missingArgument, type Statement } from './statement.ts';
import type { HealthcheckInstruction } from './types.ts';

type Check = NonNullable<HealthcheckInstruction['check']>;

/** The check of a HEALTHCHECK; undefined for NONE. Shorter durations than 1 ms fail, 0 stands for inherited. */
export function healthcheck(statement: Statement): Check | undefined {
  const flags = checkedFlags(statement);
  const text = argsText(statement);
  const type = /^\S*/.exec(text)![0];
  const start = statement.args.start + type.length + /^\s*/.exec(text.slice(type.length))![0].length;
  const rest = { start, end: statement.args.end };
  if (type === '') throw missingArgument(statement, 'at least one argument');
  if (type.toUpperCase() === 'NONE') {
    if (rest.end > rest.start) throw failure(statement, rest, 'HEALTHCHECK NONE takes no arguments');
    return undefined;
  }
  const typeSpan = { start: statement.args.start, end: statement.args.start + type.length };
  if (type.toUpperCase() !== 'CMD') {
    const hint = suggestion(type, ['CMD', 'NONE']) ?? 'Write HEALTHCHECK CMD command, or HEALTHCHECK NONE.';
    throw failure(statement, typeSpan, `unknown type ${type} in HEALTHCHECK`, hint);
  }
  const command = commandLine(statement, rest);
  if (command.form === 'shell' ? command.text === '' : command.args.length === 0) {
    throw failure(statement, typeSpan, 'missing command after HEALTHCHECK CMD');
  }
  return {
    command,
    interval: duration(statement, flags, 'interval'),
    timeout: duration(statement, flags, 'timeout'),
    startPeriod: duration(statement, flags, 'start-period'),
    startInterval: duration(statement, flags, 'start-interval'),
    retries: retries(statement, flags),
  };
}

function duration(statement: Statement, flags: Flags, name: string): number {
  const text = flags.text(name)?.text ?? '';
  if (text === '') return 0;
  const flag = statement.flags.find((one) => one.name === name)!;
  const nanoseconds = parseDuration(text);
  if (nanoseconds === undefined) {
    const hint = 'Write a number with a unit: 30s, 1m30s, 500ms.';
    throw failure(statement, flag, `invalid duration "${text}" of --${name}`, hint);
  }
  if (nanoseconds !== 0 && nanoseconds < 1e6) {
    throw failure(statement, flag, `--${name}=${text} cannot be less than 1ms`);
  }
  return nanoseconds;
}

function retries(statement: Statement, flags: Flags): number {
  const text = flags.text('retries')?.text ?? '';
  if (text === '') return 0;
  if (/^\+?\d+$/.test(text) && Number(text) <= 0x7fffffff) return Number(text);
  const flag = statement.flags.find((one) => one.name === 'retries')!;
  throw failure(statement, flag, `--retries=${text} is not a number from 0 on`);
}
