import { BuildError } from '../../core/errors.ts';
import { type Expression, keywordOf } from './syntax.ts';
import { isEqual, isList, isMap, listOf, mapOf, numberOf, textOf, truthOf, type Value } from './value.ts';

/** A kind of values, as `type =` of a variable names it. */
export type Type =
  | { readonly kind: 'any' | 'string' | 'number' | 'bool' }
  | { readonly kind: 'list' | 'set' | 'map'; readonly of: Type }
  | { readonly kind: 'tuple'; readonly of: readonly Type[] }
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, FieldType> };

interface FieldType {
  readonly type: Type;
  readonly isOptional: boolean;
  readonly default: Value;
}

/** Reads a type: `string`, `list(number)`, `object({ a = string, b = optional(bool, true) })`. Fails with `parse`. */
export function typeOf(expression: Expression): Type {
  const word = keywordOf(expression);
  if (word === 'any' || word === 'string' || word === 'number' || word === 'bool') return { kind: word };
  if (expression.kind === 'call' && expression.args.length === 1) {
    const [of] = expression.args as readonly [Expression];
    const { name } = expression;
    if (name === 'list' || name === 'set' || name === 'map') return { kind: name, of: typeOf(of) };
    if (name === 'tuple' && of.kind === 'tuple') return { kind: name, of: of.items.map(typeOf) };
    if (name === 'object' && of.kind === 'object') return { kind: name, fields: fieldsOf(of.fields) };
  }
  throw new BuildError('parse', 'this is no type', {
    location: expression.range,
    hint: 'Types are string, number, bool, any, list(…), set(…), map(…), tuple([…]) and object({…}).',
  });
}

/** A value as one of the type. Fails with `parse` where it cannot be. */
export function convert(value: Value, type: Type): Value {
  if (value === null || type.kind === 'any') return value;
  switch (type.kind) {
    case 'string':
      return textOf(value);
    case 'number':
      return numberOf(value);
    case 'bool':
      return truthOf(value);
    case 'list':
      return listOf(value).map((one) => convert(one, type.of));
    case 'set':
      return distinct(listOf(value).map((one) => convert(one, type.of)));
    case 'map':
      return new Map([...mapOf(value)].map(([key, one]) => [key, convert(one, type.of)]));
    case 'tuple':
      return tupleOf(value, type.of);
    case 'object':
      return new Map([...type.fields].flatMap(([name, field]) => fieldOf(mapOf(value), name, field)));
  }
}

/** The type that a value has by itself. */
export function impliedType(value: Value): Type {
  if (typeof value === 'string') return { kind: 'string' };
  if (typeof value === 'number') return { kind: 'number' };
  if (typeof value === 'boolean') return { kind: 'bool' };
  if (isList(value)) return { kind: 'list', of: { kind: 'any' } };
  return isMap(value) ? { kind: 'map', of: { kind: 'any' } } : { kind: 'any' };
}

/** How a type is written. */
export function formatType(type: Type): string {
  if (type.kind === 'tuple') return `tuple([${type.of.map(formatType).join(', ')}])`;
  if (type.kind === 'object') {
    const fields = [...type.fields].map(([name, field]) => `${name} = ${formatType(field.type)}`);
    return `object({ ${fields.join(', ')} })`;
  }
  return 'of' in type ? `${type.kind}(${formatType(type.of)})` : type.kind;
}

/** Each value once. */
export function distinct(values: readonly Value[]): readonly Value[] {
  return values.filter((value, at) => values.findIndex((other) => isEqual(other, value)) === at);
}

function fieldsOf(fields: Extract<Expression, { kind: 'object' }>['fields']): Map<string, FieldType> {
  return new Map(
    fields.map(({ key, value }) => {
      const isOptional = value.kind === 'call' && value.name === 'optional';
      const [type, fallback] = isOptional ? value.args : [value];
      const known = fallback?.kind === 'literal' ? fallback.value : null;
      return [keywordOf(key) ?? '', { type: typeOf(type ?? value), isOptional, default: known }];
    }),
  );
}

function fieldOf(
  map: ReturnType<typeof mapOf>,
  name: string,
  field: FieldType,
): readonly (readonly [string, Value])[] {
  if (map.has(name)) return [[name, convert(map.get(name)!, field.type)]];
  if (field.isOptional) return [[name, field.default]];
  throw new BuildError('parse', `the attribute ${name} is missing`);
}

function tupleOf(value: Value, types: readonly Type[]): Value {
  const list = listOf(value);
  if (list.length !== types.length)
    throw new BuildError('parse', `${types.length} elements are needed here, not ${list.length}`);
  return list.map((one, i) => convert(one, types[i]!));
}
