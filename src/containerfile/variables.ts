import { NON_ENV_ARGS } from './predefined.ts';
import type { ArgInstruction, Env, EnvInstruction, Word } from './types.ts';

/**
 * A variable as an instruction sets it; without a value it is declared and has none. A value is a text, or for a reader
 * who does not know all variables something that also stands for an unknown one.
 */
export interface Assignment<Value = string> {
  readonly name: string;
  readonly value?: Value;
}

/** Names and values of ENV and LABEL, all expanded before any of them is set (§1.4). */
export function pairValues<Value>(
  { pairs }: Pick<EnvInstruction, 'pairs'>,
  expand: (word: Word) => Value,
): { readonly name: Value; readonly value: Value }[] {
  return pairs.map(({ name, value }) => ({ name: expand(name), value: expand(value) }));
}

interface ArgSources<Value> {
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly globalArgs: Readonly<Record<string, string>>;
  /** Expands an ARG's own value among the variables and what the same ARG has set before it. */
  readonly expand: (word: Word, before: readonly Assignment<Value>[]) => Value;
}

/**
 * What an ARG sets: `--build-arg`, else its own value, else the global one; without any the name keeps what it had.
 * A value that a build arg replaces is not even expanded; one may use those to its left (§1.5).
 */
export function argValues<Value>(
  { args }: ArgInstruction,
  { buildArgs, globalArgs, expand }: ArgSources<Value | string>,
): Assignment<Value | string>[] {
  const set: Assignment<Value | string>[] = [];
  for (const { name, value } of args) {
    const given = valueIn(buildArgs, name);
    const known = given ?? (value === undefined ? valueIn(globalArgs, name) : expand(value, set));
    set.push(known === undefined ? { name } : { name, value: known });
  }
  return set;
}

/** Those of an ARG's assignments that later instructions see as variables. */
export function visibleIn<Value>(
  assignments: readonly Assignment<Value>[],
): (readonly [name: string, value: Value])[] {
  return assignments.flatMap(({ name, value }) =>
    value === undefined || NON_ENV_ARGS.includes(name) ? [] : [[name, value] as const],
  );
}

/** The value of a name in a record whose names come from the file or the command: `constructor` has none. */
export function valueIn(values: Env, name: string): string | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}
