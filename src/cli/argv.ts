import type { Option } from 'commander';
import { booleanOf } from '../core/boolean.ts';
import { type BuildError, didYouMean, usageError } from '../core/errors.ts';
import type { Rewrite } from './spec.ts';

/** What may be written before a command: these flags belong to every command. */
const leading = new Map([
  ['--root', true],
  ['--debug', false],
  ['-D', false],
]);

/**
 * The command and its arguments; without a command's name it is `build`. Flags that every command has may stand
 * before each word of the name. Fails with `usage` where of a name of two words (`manifest create`) the second is
 * missing or wrong.
 */
export function splitCommand(
  argv: readonly string[],
  names: readonly string[],
): { readonly name: string; readonly args: readonly string[] } {
  const first = behindFlags(argv, 0);
  const word = argv[first];
  const members = names.filter((name) => name.startsWith(`${word} `)).map((name) => name.split(' ')[1]!);
  if (word === undefined || (members.length === 0 && !names.includes(word)))
    return { name: 'build', args: argv };
  if (members.length === 0) return { name: word, args: argv.toSpliced(first, 1) };
  const second = behindFlags(argv, first + 1, word === 'compose' ? ofCompose : []);
  const member = argv[second] ?? '';
  if (!members.includes(member)) throw notInGroup(word, member, members);
  return { name: `${word} ${member}`, args: argv.toSpliced(second, 1).toSpliced(first, 1) };
}

/** Flags of a project, which docker takes before the second word: each has a value. */
const ofCompose = [
  ...['-f', '--file', '-p', '--project-name', '--project-directory'],
  ...['--profile', '--env-file', '--progress'],
];

function behindFlags(argv: readonly string[], start: number, others: readonly string[] = []): number {
  let at = start;
  for (let flag = argv[at]; flag !== undefined; flag = argv[at]) {
    const takesNext = leading.get(flag) ?? (others.includes(flag) || undefined);
    const isJoined = ['--root', ...others].some(
      (name) => name.startsWith('--') && flag!.startsWith(`${name}=`),
    );
    if (takesNext === undefined && !isJoined) break;
    at += takesNext === true ? 2 : 1;
  }
  return at;
}

function notInGroup(group: string, word: string, members: readonly string[]): BuildError {
  const near = didYouMean(word, members);
  return usageError(
    word === '' || word.startsWith('-') ? `${group} needs a word more` : `unknown command ${group} ${word}`,
    near === undefined ? `There are: ${members.join(', ')}.` : `Did you mean \`tsbuild ${group} ${near}\`?`,
  );
}

export interface Grammar {
  readonly command: string;
  readonly options: readonly Option[];
  readonly rewrites?: Readonly<Record<string, Rewrite>>;
  readonly passThrough?: boolean;
}

/**
 * Writes arguments the one way that commander takes without guessing: `--long=value`. What docker's and podman's
 * parsers allow is understood: `--push=true`, `-t=name`, `-qt name`, an optional value only behind `=`, flags after
 * the context, `--` before what is no flag. Fails with `usage` on an unknown flag or a missing value.
 */
export function normalise(args: readonly string[], grammar: Grammar): string[] {
  const flags = flagsOf(grammar);
  const rest = [...args];
  const out: string[] = [];
  const words: string[] = [];
  while (rest.length > 0) {
    const token = rest.shift()!;
    if (token === '--') words.push(...rest.splice(0));
    else if (token === '-' || !token.startsWith('-')) {
      words.push(token);
      if (grammar.passThrough) words.push(...rest.splice(0));
    } else if (token.startsWith('--')) takeLong(token, { flags, grammar, rest, out });
    else takeShort(token, { flags, grammar, rest, out });
  }
  return [...out, '--', ...words];
}

interface Flag {
  readonly long: string;
  readonly takes: 'value' | 'optional' | 'boolean';
  /** Value of a flag written without one. */
  readonly preset?: string;
  readonly rewrite?: Rewrite;
}

interface Reading {
  readonly flags: ReadonlyMap<string, Flag>;
  readonly grammar: Grammar;
  readonly rest: string[];
  readonly out: string[];
}

function flagsOf(grammar: Grammar): Map<string, Flag> {
  const flags = new Map<string, Flag>([['--help', { long: '--help', takes: 'boolean' }]]);
  flags.set('-h', flags.get('--help')!);
  for (const option of grammar.options) {
    const flag: Flag = {
      long: option.long ?? option.short ?? '',
      takes: option.required ? 'value' : option.optional ? 'optional' : 'boolean',
      ...(typeof option.presetArg === 'string' && { preset: option.presetArg }),
    };
    for (const name of [option.long, option.short]) if (name) flags.set(name, flag);
  }
  for (const [name, rewrite] of Object.entries(grammar.rewrites ?? {}))
    flags.set(name, { long: name, takes: rewrite.takes, rewrite });
  return flags;
}

function takeLong(token: string, reading: Reading): void {
  const equals = token.indexOf('=');
  const name = equals < 0 ? token : token.slice(0, equals);
  const flag = reading.flags.get(name);
  if (flag === undefined) throw unknownFlag(name, reading);
  take(flag, { name, written: equals < 0 ? undefined : token.slice(equals + 1) }, reading);
}

/** `-q`, `-t name`, `-tname`, `-t=name`, `-qt name`. */
function takeShort(token: string, reading: Reading): void {
  for (let i = 1; i < token.length; i++) {
    const name = `-${token[i]}`;
    const flag = reading.flags.get(name);
    if (flag === undefined) throw unknownFlag(i === 1 ? token : name, reading);
    const tail = token.slice(i + 1);
    const attached = tail.startsWith('=') || (tail !== '' && flag.takes === 'value');
    take(flag, { name, written: attached ? tail.replace(/^=/, '') : undefined }, reading);
    if (attached) return;
  }
}

function take(
  flag: Flag,
  word: { readonly name: string; readonly written: string | undefined },
  reading: Reading,
): void {
  const value = writtenValue(flag, word, reading);
  if (flag.rewrite !== undefined) reading.rest.unshift(...flag.rewrite.to(value));
  else if (flag.takes !== 'boolean') reading.out.push(`${flag.long}=${value}`);
  else if (value === 'true') reading.out.push(flag.long);
  else switchOff(flag, reading);
}

/** `--x=false` is `--no-x` where there is one, and else takes back an earlier `--x`. */
function switchOff(flag: Flag, { flags, out }: Reading): void {
  const negation = flag.long.replace(/^--/, '--no-');
  if (flags.has(negation)) out.push(negation);
  else out.splice(0, out.length, ...out.filter((other) => other !== flag.long));
}

function writtenValue(
  flag: Flag,
  { name, written }: { readonly name: string; readonly written: string | undefined },
  reading: Reading,
): string {
  if (flag.takes === 'boolean') return truth(name, written ?? 'true');
  if (written !== undefined) return written;
  if (flag.takes === 'optional') return flag.preset ?? 'true';
  const next = reading.rest[0];
  if (next === undefined || reading.flags.has(next.replace(/=.*/s, '')))
    throw usageError(`${name} needs a value`, `Write ${name} VALUE, or ${flag.long}=VALUE.`);
  return reading.rest.shift()!;
}

function truth(name: string, written: string): string {
  const value = booleanOf(written);
  if (value !== undefined) return String(value);
  throw usageError(`${name} takes true or false, not '${written}'`, `Write ${name} or ${name}=false.`);
}

function unknownFlag(name: string, { flags, grammar }: Reading): Error {
  const long = [...flags.keys()].filter((flag) => flag.startsWith('--'));
  const near =
    didYouMean(name, long) ?? (name.length > 3 ? long.find((flag) => flag.startsWith(name)) : undefined);
  const list = `\`tsbuild ${grammar.command} --help\` lists the flags.`;
  return usageError(`unknown flag ${name}`, near === undefined ? list : `Did you mean ${near}? ${list}`);
}
