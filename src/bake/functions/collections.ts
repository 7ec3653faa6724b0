import { distinct } from '../hcl/types.ts';
import {
  entriesOf,
  isEqual,
  isList,
  isMap,
  listOf,
  mapOf,
  numberOf,
  sortedEntries,
  textOf,
  type Value,
} from '../hcl/value.ts';
import { type Functions, MANY, unfit } from './function.ts';

/** Work on lists, maps and objects. */
export const collectionFunctions: Functions = {
  chunklist: [2, 2, (list, size) => chunks(listOf(list!), numberOf(size!))],
  coalesce: [1, MANY, (...all) => firstOf(all, (value) => value !== null, 'every argument is null')],
  coalescelist: [
    1,
    MANY,
    (...all) => firstOf(all, (value) => listOf(value).length > 0, 'every list is empty'),
  ],
  compact: [1, 1, (list) => listOf(list!).filter((value) => value !== '' && value !== null)],
  concat: [1, MANY, (...lists) => lists.flatMap(listOf)],
  contains: [2, 2, (list, value) => listOf(list!).some((one) => isEqual(one, value!))],
  distinct: [1, 1, (list) => distinct(listOf(list!))],
  element: [2, 2, (list, at) => elementOf(listOf(list!), numberOf(at!))],
  flatten: [1, 1, (list) => flat(listOf(list!))],
  hasindex: [2, 2, (collection, key) => hasIndex(collection!, key!)],
  index: [2, 2, (collection, key) => indexed(collection!, key!)],
  indexof: [2, 2, (list, value) => placeOf(listOf(list!), value!)],
  keys: [1, 1, (map) => sortedEntries(mapOf(map!)).map(([key]) => key)],
  length: [1, 1, (collection) => entriesOf(collection!).length],
  lookup: [2, 3, (map, key, ...others) => lookUp(map!, textOf(key!), others)],
  merge: [0, MANY, (...maps) => new Map(maps.flatMap((map) => (map === null ? [] : [...mapOf(map)])))],
  range: [1, 3, (...numbers) => rangeOf(numbers.map(numberOf))],
  reverselist: [1, 1, (list) => [...listOf(list!)].reverse()],
  slice: [3, 3, (list, from, to) => sliceOf(listOf(list!), numberOf(from!), numberOf(to!))],
  sort: [1, 1, (list) => listOf(list!).map(textOf).sort()],
  values: [1, 1, (map) => sortedEntries(mapOf(map!)).map(([, value]) => value)],
  zipmap: [2, 2, (keys, values) => zipped(listOf(keys!), listOf(values!))],
  sethaselement: [2, 2, (set, value) => has(listOf(set!), value!)],
  setintersection: [
    1,
    MANY,
    (...sets) => sets.map(listOf).reduce((a, b) => distinct(a.filter((one) => has(b, one)))),
  ],
  setproduct: [1, MANY, (...sets) => productOf(sets.map(listOf))],
  setsubtract: [2, 2, (a, b) => distinct(listOf(a!).filter((one) => !has(listOf(b!), one)))],
  setsymmetricdifference: [1, MANY, (...sets) => sets.map(listOf).reduce(difference)],
  setunion: [1, MANY, (...sets) => distinct(sets.flatMap(listOf))],
};

function firstOf(all: readonly Value[], wanted: (value: Value) => boolean, none: string): Value {
  const found = all.find(wanted);
  if (found === undefined) throw unfit(none);
  return found;
}

function chunks(list: readonly Value[], size: number): readonly Value[] {
  if (size === 0) return [list];
  if (size < 0) throw unfit('a size is not negative');
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
    list.slice(i * size, (i + 1) * size),
  );
}

/** Behind the last element it goes on with the first. */
function elementOf(list: readonly Value[], at: number): Value {
  if (list.length === 0) throw unfit('the list is empty');
  return list[((at % list.length) + list.length) % list.length]!;
}

function flat(list: readonly Value[]): readonly Value[] {
  return list.flatMap((value): readonly Value[] => (isList(value) ? flat(value) : [value]));
}

function hasIndex(collection: Value, key: Value): boolean {
  if (isMap(collection)) return typeof key === 'string' && collection.has(key);
  return typeof key === 'number' && listOf(collection)[key] !== undefined;
}

function indexed(collection: Value, key: Value): Value {
  if (!hasIndex(collection, key)) throw unfit('there is no such element');
  return isMap(collection) ? collection.get(key as string)! : listOf(collection)[key as number]!;
}

function placeOf(list: readonly Value[], value: Value): number {
  const at = list.findIndex((one) => isEqual(one, value));
  if (at < 0) throw unfit('the list does not hold it');
  return at;
}

function lookUp(map: Value, key: string, [fallback]: readonly Value[]): Value {
  const found = mapOf(map).get(key) ?? fallback;
  if (found === undefined) throw unfit(`there is no element "${key}", and no default`);
  return found;
}

/** `range(end)`, `range(begin, end)`, `range(begin, end, step)`. */
function rangeOf(numbers: readonly number[]): readonly number[] {
  const [start, end] = numbers.length === 1 ? [0, numbers[0]!] : [numbers[0]!, numbers[1]!];
  const step = numbers[2] ?? (end < start ? -1 : 1);
  if (step === 0 || (end - start) * step < 0) throw unfit('the step does not lead to the end');
  const count = Math.ceil((end - start) / step);
  if (count > 1024) throw unfit('a range has at most 1024 numbers');
  return Array.from({ length: count }, (_, i) => start + i * step);
}

function sliceOf(list: readonly Value[], from: number, to: number): readonly Value[] {
  if (from < 0 || to > list.length || from > to)
    throw unfit(`the list has ${list.length} elements, and not those from ${from} to ${to}`);
  return list.slice(from, to);
}

function zipped(keys: readonly Value[], values: readonly Value[]): Value {
  if (keys.length !== values.length) throw unfit(`there are ${keys.length} keys and ${values.length} values`);
  return new Map(keys.map((key, i) => [textOf(key), values[i]!]));
}

function has(set: readonly Value[], value: Value): boolean {
  return set.some((one) => isEqual(one, value));
}

function difference(a: readonly Value[], b: readonly Value[]): readonly Value[] {
  return distinct([...a.filter((one) => !has(b, one)), ...b.filter((one) => !has(a, one))]);
}

function productOf(sets: readonly (readonly Value[])[]): readonly Value[] {
  return sets.reduce<readonly (readonly Value[])[]>(
    (all, set) => all.flatMap((one) => set.map((value) => [...one, value])),
    [[]],
  );
}
