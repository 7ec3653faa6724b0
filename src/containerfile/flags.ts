import { BuildError } from '../core/errors.ts';
import { rangeOf } from './lines.ts';
import { failure, type Statement, suggestion } from './statement.ts';
import type { Word } from './types.ts';
import type { Flag } from './words.ts';

type FlagKind = 'text' | 'list' | 'bool';

/** Flags of each instruction (§1.1). */
const known: Readonly<Record<string, Readonly<Record<string, FlagKind>>>> = {
  from: { platform: 'text' },
  run: { mount: 'list', network: 'text', security: 'text' },
  copy: { from: 'text', chown: 'text', chmod: 'text', link: 'bool' },
  add: {
    ...{ chown: 'text', chmod: 'text', link: 'bool' },
    ...{ 'keep-git-dir': 'bool', checksum: 'text', unpack: 'bool' },
  },
  healthcheck: {
    interval: 'text',
    timeout: 'text',
    'start-period': 'text',
    'start-interval': 'text',
    retries: 'text',
  },
};

/** Flags of the language that this product refuses: ignoring one would build another image. */
const unsupported: Readonly<Record<string, readonly string[]>> = {
  run: ['device'],
  copy: ['parents', 'exclude'],
  add: ['exclude'],
};

/** The flags of one statement, checked against what its instruction knows. */
export interface Flags {
  text(name: string): Word | undefined;
  list(name: string): readonly Word[];
  /** Undefined where the flag is not given. */
  bool(name: string): boolean | undefined;
}

/** Checks all flags: unknown, unsupported, given twice, without a value, not a boolean. */
export function checkedFlags(statement: Statement): Flags {
  const kinds = known[statement.keyword] ?? {};
  const seen = new Set<string>();
  for (const flag of statement.flags) {
    const kind = Object.hasOwn(kinds, flag.name) ? kinds[flag.name] : undefined;
    if (kind === undefined) throw unknownFlag(statement, flag, Object.keys(kinds));
    if (seen.has(flag.name) && kind !== 'list') {
      throw failure(statement, flag, `duplicate flag specified: --${flag.name}`, 'Give it once.');
    }
    seen.add(flag.name);
    checkValue(statement, flag, kind);
  }
  const named = (name: string): Flag[] => statement.flags.filter((flag) => flag.name === name);
  return {
    text: (name) => named(name).map((flag) => valueWord(statement, flag))[0],
    list: (name) => named(name).map((flag) => valueWord(statement, flag)),
    bool: (name) => named(name).map((flag) => flag.value?.toLowerCase() !== 'false')[0],
  };
}

function checkValue(statement: Statement, flag: Flag, kind: FlagKind): void {
  if (kind === 'bool') {
    if (flag.value === '') throw missingValue(statement, flag);
    if (flag.value !== undefined && !/^(true|false)$/i.test(flag.value)) {
      const message = `expecting boolean value for flag --${flag.name}, not: ${flag.value}`;
      throw failure(statement, flag, message, `Write --${flag.name} or --${flag.name}=false.`);
    }
  } else if (flag.value === undefined) throw missingValue(statement, flag);
}

function missingValue(statement: Statement, flag: Flag): BuildError {
  return failure(statement, flag, `missing a value on flag: --${flag.name}`, `Write --${flag.name}=VALUE.`);
}

function unknownFlag(statement: Statement, flag: Flag, names: readonly string[]): BuildError {
  const keyword = statement.keyword.toUpperCase();
  if (unsupported[statement.keyword]?.includes(flag.name)) {
    const message = `${keyword} --${flag.name} is not supported by this version of tsbuild`;
    return failure(statement, flag, message, 'Write the instruction without this flag.');
  }
  const hint = suggestion(
    `--${flag.name}`,
    names.map((name) => `--${name}`),
  );
  const takes = names.length === 0 ? `${keyword} takes no flags.` : undefined;
  return failure(statement, flag, `unknown flag: --${flag.name}`, hint ?? takes);
}

/** A flag's value; its text is what the flag's own quotes and backslashes leave. */
function valueWord(statement: Statement, flag: Flag): Word {
  const written = statement.line.text.slice(flag.start, flag.end);
  const start = flag.start + written.indexOf('=') + 1;
  return { text: flag.value ?? '', range: rangeOf(statement.line, start, flag.end) };
}

/** Fails for a variable where the language has none (`--from`, §1.4). */
export function refuseVariable(word: Word, name: string): void {
  if (!/\$./.test(word.text)) return;
  throw new BuildError('parse', `${name} doesn't support variable expansion`, {
    location: word.range,
    hint: 'Define an alias stage instead: FROM image:$TAG AS name.',
  });
}
