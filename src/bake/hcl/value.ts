import { BuildError } from '../../core/errors.ts';

/** A value of HCL. Lists, tuples and sets are arrays; maps and objects are Maps, so that any key is as good as another. */
export type Value = null | boolean | number | string | readonly Value[] | ValueMap;
export type ValueMap = ReadonlyMap<string, Value>;

export function isMap(value: Value): value is ValueMap {
  return value instanceof Map;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** What messages call the kind of a value. */
export function kindOf(value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'a bool';
  if (typeof value === 'number') return 'a number';
  if (typeof value === 'string') return 'a string';
  return isMap(value) ? 'an object' : 'a list';
}

/** A value as text, as a template shows it. Fails with `parse` for what has none. */
export function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return textOfNumber(value);
  throw wrongKind('a string', value);
}

/** Fails with `parse` for what is no number. */
export function numberOf(value: Value): number {
  if (typeof value === 'number') return value;
  const number =
    typeof value === 'string' && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)
      ? Number(value)
      : Number.NaN;
  if (Number.isNaN(number)) throw wrongKind('a number', value);
  return number;
}

/** Fails with `parse` for what is neither true nor false. */
export function truthOf(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw wrongKind('a bool', value);
}

/** Fails with `parse` for what is no list. */
export function listOf(value: Value): readonly Value[] {
  if (isList(value)) return value;
  throw wrongKind('a list', value);
}

/** Fails with `parse` for what is no object. */
export function mapOf(value: Value): ValueMap {
  if (isMap(value)) return value;
  throw wrongKind('an object', value);
}

/** Whether two values are the same; `"1"` and `1` are not. */
export function isEqual(a: Value, b: Value): boolean {
  if (isList(a) && isList(b)) return a.length === b.length && a.every((one, i) => isEqual(one, b[i]!));
  if (isMap(a) && isMap(b))
    return a.size === b.size && [...a].every(([key, one]) => b.has(key) && isEqual(one, b.get(key)!));
  return a === b;
}

/** Keys and values in their order: of a list its positions, of an object its keys sorted. */
export function entriesOf(value: Value): readonly (readonly [key: Value, value: Value])[] {
  if (isList(value)) return value.map((one, i) => [i, one] as const);
  return sortedEntries(mapOf(value));
}

/** Fields by name. */
export function sortedEntries(map: ValueMap): readonly (readonly [string, Value])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The same as JSON has it; keys are sorted. */
export function toJson(value: Value): unknown {
  if (isList(value)) return value.map(toJson);
  if (isMap(value)) return Object.fromEntries(sortedEntries(value).map(([key, one]) => [key, toJson(one)]));
  return value;
}

/** A value of JSON as one of HCL. */
export function fromJson(json: unknown): Value {
  if (json === null || typeof json === 'boolean' || typeof json === 'number' || typeof json === 'string')
    return json;
  if (Array.isArray(json)) return json.map(fromJson);
  return new Map(Object.entries(json as object).map(([key, one]) => [key, fromJson(one)]));
}

/** Something is of another kind than it must be. */
export function wrongKind(wanted: string, value: Value): BuildError {
  return new BuildError('parse', `${wanted} is needed here, not ${shown(value)}`);
}

function shown(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (value === null || isList(value) || isMap(value)) return kindOf(value);
  return String(value);
}

function textOfNumber(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(value).toString() : value.toString();
}
