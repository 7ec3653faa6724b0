import { BuildError, didYouMean, type SourceRange } from '../../core/errors.ts';
import { type ExpandOptions, expandHeredoc, expandWord, type VariableUse } from '../expand.ts';
import { DEFAULT_PATH, envRecord, NON_ENV_ARGS } from '../predefined.ts';
import type { Env, Heredoc, Word } from '../types.ts';
import type { Finding, Findings } from './findings.ts';
import { type ReadText, rangeIn } from './word-places.ts';

/** A file with more findings than this is no slip of the pen: nothing near is looked for any more. */
const MOST_SUGGESTIONS = 200;

/** What a word is worth where one of its variables is not known. */
export const UNKNOWN = Symbol('unknown');

/** A word's value, as far as a reader of the file can tell. */
export type Value = string | typeof UNKNOWN;

/** The variables of a stage between two instructions; changed in place, copied for a stage that builds on it. */
export class Scope {
  readonly vars: Record<string, string>;
  /** ARGs declared so far, with a value or without. */
  readonly declared: Set<string>;
  readonly #unknown: Set<string>;
  /** The variables that the base brings are known. */
  readonly #complete: boolean;

  private constructor(from: {
    readonly vars: Env;
    readonly declared?: ReadonlySet<string>;
    readonly unknown?: ReadonlySet<string>;
    readonly complete: boolean;
  }) {
    this.vars = Object.assign(Object.create(null), from.vars) as Record<string, string>;
    this.declared = new Set(from.declared);
    this.#unknown = new Set(from.unknown);
    this.#complete = from.complete;
  }

  /** The scope of a stage whose base brings `env`; undefined where that is not known. */
  static above(env: readonly string[] | undefined): Scope {
    return new Scope({ vars: { PATH: DEFAULT_PATH, ...envRecord(env ?? []) }, complete: env !== undefined });
  }

  copy(): Scope {
    const { vars, declared } = this;
    return new Scope({ vars, declared, unknown: this.#unknown, complete: this.#complete });
  }

  /** What is left when a stage does not want variables of its base: one by its name, or all; ARGs stay. */
  without(names: readonly (string | undefined)[]): Scope {
    const all = names.includes(undefined);
    const stays = ([name]: readonly [string, string]): boolean =>
      this.declared.has(name) || !(all || names.includes(name));
    const vars = { PATH: DEFAULT_PATH, ...Object.fromEntries(Object.entries(this.vars).filter(stays)) };
    const { declared } = this;
    return new Scope({ vars, declared, unknown: this.#unknown, complete: this.#complete || all });
  }

  set(name: string, value: Value): void {
    if (value === UNKNOWN) {
      delete this.vars[name];
      this.#unknown.add(name);
    } else {
      this.vars[name] = value;
      this.#unknown.delete(name);
    }
  }

  /** A variable without a value here may have one that this reader does not see. */
  mayHave(name: string): boolean {
    return !this.#complete || this.#unknown.has(name);
  }
}

/** Where words are read: among which variables, and where what they tell goes. */
export interface Reading {
  readonly scope: Scope;
  readonly findings: Findings;
  readonly escape: '\\' | '`';
  readonly comments: readonly string[];
  /** Stands for every place of an instruction that is not in the file: an ONBUILD trigger. */
  readonly place?: SourceRange;
}

/** The place of a range, for messages. */
export function placeOf(range: SourceRange, { place }: Reading): SourceRange {
  return place ?? range;
}

/** Tells a finding of the instruction that is read. */
export function warn(finding: Omit<Finding, 'comments'>, reading: Reading): void {
  const location = placeOf(finding.location, reading);
  reading.findings.warn({ ...finding, location, comments: reading.comments });
}

/** Expands a word; tells variables that nothing declares, and errors at the variable or word they are about. */
export function expandIn(word: Word, reading: Reading): Value {
  const { value, unset } = expanded(word, reading, expandWord);
  warnOfUndefined(unset, word, reading);
  return value;
}

/** As `expandIn`, for words in which the reference does not look for undeclared variables. */
export function expandQuietly(word: Word, reading: Reading): Value {
  return expanded(word, reading, expandWord).value;
}

/** Expands the body of a heredoc whose delimiter is not quoted. */
export function expandBody(heredoc: Heredoc, reading: Reading): void {
  const word = { text: heredoc.content, range: heredoc.range, heredoc };
  warnOfUndefined(expanded(word, reading, expandHeredoc).unset, word, reading);
}

type Expand = (text: string, env: Env, options: ExpandOptions) => string;

function expanded(
  word: ReadText,
  reading: Reading,
  expand: Expand,
): { readonly value: Value; readonly unset: readonly VariableUse[] } {
  const { scope, findings } = reading;
  const unset: VariableUse[] = [];
  const onVariable = (use: VariableUse): void => {
    if (!Object.hasOwn(scope.vars, use.name)) unset.push(use);
  };
  try {
    const value = expand(word.text, scope.vars, { escape: reading.escape, onVariable });
    return { value: unset.some(({ name }) => scope.mayHave(name)) ? UNKNOWN : value, unset };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    const use = unset.find(({ name }) => name === error.about);
    const doubtful = error.about !== undefined && unset.some(({ name }) => scope.mayHave(name));
    if (!doubtful) findings.errors.push(error.at(placeOf(use ? rangeIn(word, use) : word.range, reading)));
    return { value: UNKNOWN, unset };
  }
}

function warnOfUndefined(unset: readonly VariableUse[], word: ReadText, reading: Reading): void {
  const { scope } = reading;
  const told = new Set<string>();
  for (const use of unset) {
    const { name } = use;
    if (told.has(name) || scope.declared.has(name) || scope.mayHave(name)) continue;
    if (NON_ENV_ARGS.includes(name)) continue;
    told.add(name);
    const candidates = reading.findings.warnings.length < MOST_SUGGESTIONS ? Object.keys(scope.vars) : [];
    const text = `nothing defines the variable $${name}${meant(name, candidates, '$')}`;
    warn({ rule: 'UndefinedVar', text, location: rangeIn(word, use) }, reading);
  }
}

/** ` (did you mean x?)`, where something is near. */
export function meant(name: string, candidates: readonly string[], sign = ''): string {
  const near = didYouMean(name, candidates);
  return near === undefined ? '' : ` (did you mean ${sign}${near}?)`;
}
