import { BuildError, suggestion } from '../core/errors.ts';
import { howToEnable } from './extensions.ts';
import { rangeOf } from './lines.ts';
import { failure, type Statement } from './statement.ts';
import type { Extension, Word } from './types.ts';
import type { Flag, Span } from './words.ts';
import { scanned } from './work.ts';

type FlagKind = 'text' | 'list' | 'bool';

/** Flags of each instruction (§1.1). */
const known: Readonly<Record<string, Readonly<Record<string, FlagKind>>>> = {
  from: { platform: 'text' },
  run: { mount: 'list', network: 'text', security: 'text' },
  copy: { from: 'text', chown: 'text', chmod: 'text', link: 'bool', parents: 'bool', exclude: 'list' },
  add: {
    ...{ chown: 'text', chmod: 'text', link: 'bool', exclude: 'list' },
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

/** Flags that extensions add. */
const extended: Readonly<
  Record<string, { readonly name: string; readonly kind: FlagKind; readonly extension: Extension }>
> = {
  from: { name: 'reset', kind: 'text', extension: 'reset' },
  copy: { name: 'optional', kind: 'bool', extension: 'optional-copy' },
};

/** The flags of one statement, checked against what its instruction knows. */
export interface Flags {
  /** The value; a flag with an empty one counts as not given. */
  text(name: string): Word | undefined;
  list(name: string): readonly Word[];
  /** Undefined where the flag is not given. */
  bool(name: string): boolean | undefined;
}

const none: Flags = { text: () => undefined, list: () => [], bool: () => undefined };

/** Checks all flags: unknown, given twice, without a value, not a boolean, of an extension that is off. */
export function checkedFlags(statement: Statement): Flags {
  if (statement.flags.length === 0) return none;
  const kinds = kindsOf(statement);
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
  const named = (name: string): Flag[] => {
    scanned(statement.flags.length);
    return statement.flags.filter((flag) => flag.name === name);
  };
  return {
    text: (name) => named(name).flatMap((flag) => (flag.value === '' ? [] : valueWord(statement, flag)))[0],
    list: (name) => named(name).map((flag) => valueWord(statement, flag)),
    bool: (name) => named(name).map((flag) => flag.value?.toLowerCase() !== 'false')[0],
  };
}

function kindsOf({ keyword, extensions }: Statement): Readonly<Record<string, FlagKind>> {
  const more = extended[keyword];
  const kinds = known[keyword] ?? {};
  return more !== undefined && extensions?.has(more.extension) ? { ...kinds, [more.name]: more.kind } : kinds;
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
  const written = `--${flag.name}`;
  if (keyword === 'RUN' && flag.name === 'device') {
    const message = 'RUN --device cannot be had: no step is given a device of this machine';
    return failure(statement, flag, message, 'Write the instruction without this flag.');
  }
  const extension = extended[statement.keyword];
  if (extension?.name === flag.name) {
    return offError(statement, flag, { what: `${keyword} ${written}`, extension: extension.extension });
  }
  const all = names.map((name) => `--${name}`);
  const takes = all.length === 0 ? `${keyword} takes no flags.` : `${keyword} takes ${all.join(', ')}.`;
  return failure(statement, flag, `unknown flag: ${written}`, suggestion(written, all) ?? takes);
}

/** A construct of an extension that is off; in a trigger none can be on. */
export function offError(
  statement: Statement,
  span: Span,
  { what, extension }: { readonly what: string; readonly extension: Extension },
): BuildError {
  if (statement.extensions === undefined) {
    const hint =
      'A trigger becomes part of the image, which every builder reads: write the plain language there.';
    return failure(statement, span, `${what} cannot be an ONBUILD trigger`, hint);
  }
  const message = `${what} belongs to the extension ${extension}, which is off`;
  return failure(statement, span, message, howToEnable(extension));
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
