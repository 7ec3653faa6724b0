import { BuildError, suggestion } from '../core/errors.ts';
import { own } from '../core/own.ts';
import { blockValues } from './block-values.ts';
import type { VariableInfo } from './definition.ts';
import { callStandard, checkCount, standardNames, unknownFunction } from './functions/standard.ts';
import { evaluate, type Scope, withNames } from './hcl/evaluate.ts';
import { parseAs, parseJsonAs } from './hcl/parse-as.ts';
import {
  type Attribute,
  attributeOf,
  type Block,
  type Body,
  type Expression,
  keywordOf,
} from './hcl/syntax.ts';
import { convert, formatType, impliedType, type Type, typeOf } from './hcl/types.ts';
import { textOf, toJson, type Value } from './hcl/value.ts';
import { validate } from './validation.ts';

/** What the world outside of the files says to their variables. */
export interface Given {
  /** From the command line. */
  readonly values: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Variables that are there without being declared. */
  readonly builtIn: Readonly<Record<string, string>>;
}

/** The names that expressions of a group of files may use: variables, functions, and attributes of other blocks. */
export class Variables implements Scope {
  readonly #declared = new Map<string, Block[]>();
  readonly #attributes = new Map<string, Attribute>();
  readonly #functions = new Map<string, Block>();
  readonly #blocks: readonly Block[];
  readonly #given: Given;
  readonly #known = new Map<string, Value>();
  readonly #asked = new Set<string>();

  constructor(bodies: readonly Body[], given: Given) {
    this.#given = given;
    this.#blocks = bodies.flatMap(({ blocks }) => blocks);
    for (const block of this.#blocks) {
      const name = block.labels[0]?.text ?? '';
      if (block.type === 'variable') this.#declared.set(name, [...(this.#declared.get(name) ?? []), block]);
      if (block.type === 'function') this.#functions.set(name, block);
    }
    for (const attribute of bodies.flatMap(({ attributes }) => attributes))
      this.#attributes.set(attribute.name, attribute);
  }

  variable(name: string): Value {
    const builtIn = own(this.#given.builtIn, name);
    if (builtIn !== undefined) return builtIn;
    if (this.#declared.has(name) || this.#attributes.has(name))
      return this.#once(name, `the variable ${name}`, () => this.#valueOf(name));
    if (name === 'target' || name === 'group') {
      const once = (key: string, make: () => Value): Value => this.#once(key, key, make);
      return blockValues(this.#blocks, name, { scope: this, once });
    }
    throw this.#unknown(name);
  }

  call(name: string, args: readonly Expression[], scope: Scope): Value {
    const own = this.#functions.get(name);
    if (own !== undefined) return this.#callOwn(own, args, scope);
    try {
      return callStandard(name, args, scope);
    } catch (error) {
      if (standardNames.includes(name)) throw error;
      throw unknownFunction(name, [...this.#functions.keys()]);
    }
  }

  /** Finds the values of all variables, so that none can be wrong unseen; they are listed by name. */
  all(): readonly VariableInfo[] {
    for (const name of this.#attributes.keys()) this.variable(name);
    return [...this.#declared.keys()].sort().map((name) => {
      const value = toJson(this.variable(name));
      const type = this.#typeOf(name);
      const description = this.#ownText(name, 'description');
      return {
        name,
        ...(type !== undefined && { type: formatType(type) }),
        value,
        ...(description !== undefined && { description }),
      };
    });
  }

  /** Fails where a value leads back to itself. */
  #once(key: string, what: string, make: () => Value): Value {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#asked.has(key)) throw new BuildError('parse', `${what} depends on itself`);
    this.#asked.add(key);
    try {
      const value = make();
      this.#known.set(key, value);
      return value;
    } finally {
      this.#asked.delete(key);
    }
  }

  #valueOf(name: string): Value {
    const type = this.#typeOf(name);
    const written = this.#attributes.get(name)?.value ?? this.#own(name, 'default')?.value;
    const fallback = written === undefined ? undefined : evaluate(written, this);
    const value = this.#asGiven(name, type, fallback) ?? fallback ?? (type ? null : '');
    const converted = type === undefined ? value : this.#placed(name, () => convert(value, type));
    const blocks = this.#declared.get(name) ?? [];
    validate(name, blocks, withNames(this, new Map([[name, converted]])));
    return converted;
  }

  /** What the command line or the environment says; only what is declared takes it. */
  #asGiven(name: string, type: Type | undefined, fallback: Value | undefined): Value | undefined {
    if (!this.#declared.has(name)) return undefined;
    const { values, env } = this.#given;
    const text = own(values, name) ?? own(env, name);
    const jsonName = `${name}_JSON`;
    const isJson = type !== undefined && !this.#declared.has(jsonName);
    const json = isJson ? (own(values, jsonName) ?? own(env, jsonName)) : undefined;
    if (json !== undefined) return this.#placed(name, () => parseJsonAs(json, type!));
    if (text === undefined) return undefined;
    return this.#placed(name, () => parseAs(text, type ?? impliedType(fallback ?? '')));
  }

  /** The last block that sets it counts. */
  #own(name: string, attribute: string): Attribute | undefined {
    const blocks = this.#declared.get(name) ?? [];
    return blocks.map(({ body }) => attributeOf(body, attribute)).findLast((found) => found !== undefined);
  }

  #ownText(name: string, attribute: string): string | undefined {
    const own = this.#own(name, attribute);
    return own === undefined ? undefined : textOf(evaluate(own.value, this));
  }

  #typeOf(name: string): Type | undefined {
    const own = this.#own(name, 'type');
    return own === undefined ? undefined : typeOf(own.value);
  }

  #placed<T>(name: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      const range = this.#declared.get(name)?.at(-1)?.labels[0]?.range;
      if (!(error instanceof BuildError) || range === undefined) throw error;
      const { hint } = error;
      throw new BuildError('parse', `the variable ${name}: ${error.message}`, {
        location: range,
        ...(hint !== undefined && { hint }),
      });
    }
  }

  #callOwn({ labels, body, range }: Block, args: readonly Expression[], scope: Scope): Value {
    const name = labels[0]?.text ?? '';
    const result = attributeOf(body, 'result')?.value;
    if (result === undefined)
      throw new BuildError('parse', `the function ${name} has no result`, { location: range });
    const params = namesIn(attributeOf(body, 'params')?.value);
    const rest = attributeOf(body, 'variadic_params')?.value;
    checkCount(name, args.length, [
      params.length,
      rest === undefined ? params.length : Number.POSITIVE_INFINITY,
    ]);
    const values = args.map((arg) => evaluate(arg, scope));
    const bound = new Map(params.map((param, i) => [param, values[i]!]));
    if (rest !== undefined) bound.set(keywordOf(rest) ?? '', values.slice(params.length));
    if (this.#asked.has(`${name}()`)) throw new BuildError('parse', `the function ${name} calls itself`);
    this.#asked.add(`${name}()`);
    try {
      return evaluate(result, withNames(this, bound));
    } finally {
      this.#asked.delete(`${name}()`);
    }
  }

  #unknown(name: string): BuildError {
    const known = [...this.#declared.keys(), ...this.#attributes.keys(), ...Object.keys(this.#given.builtIn)];
    return new BuildError('parse', `there is no variable ${name}`, {
      hint: suggestion(name, known) ?? `Declare it: variable "${name}" { default = "" }.`,
    });
  }
}

function namesIn(params: Expression | undefined): readonly string[] {
  if (params?.kind !== 'tuple') return [];
  return params.items.map((item) => {
    const name = keywordOf(item);
    if (name === undefined) throw new BuildError('parse', 'a parameter is a name', { location: item.range });
    return name;
  });
}
