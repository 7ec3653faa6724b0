import { BuildError } from '../../core/errors.ts';
import { isMap, kindOf, listOf, numberOf, textOf, type Value } from './value.ts';

/** A field of an object. Fails with `parse`. */
export function attributeOf(of: Value, name: string): Value {
  if (isMap(of) && of.has(name)) return of.get(name)!;
  if (isMap(of)) throw new BuildError('parse', `there is no attribute ${name} in this object`);
  throw new BuildError('parse', `${kindOf(of)} has no attribute ${name}`);
}

/** An element of a list or an object. Fails with `parse`. */
export function itemOf(of: Value, key: Value): Value {
  if (isMap(of)) {
    const name = textOf(key);
    if (of.has(name)) return of.get(name)!;
    throw new BuildError('parse', `there is no element "${name}" in this object`);
  }
  const list = listOf(of);
  const at = numberOf(key);
  const item = list[at];
  if (item === undefined)
    throw new BuildError('parse', `there is no element ${at} in this list: it has ${list.length}`);
  return item;
}

/** Two numbers, put together or compared. Fails with `parse`. */
export function arithmetic(operator: string, left: number, right: number): Value {
  if ((operator === '/' || operator === '%') && right === 0)
    throw new BuildError('parse', 'nothing can be divided by zero');
  const operations: Readonly<Record<string, () => Value>> = {
    '+': () => left + right,
    '-': () => left - right,
    '*': () => left * right,
    '/': () => left / right,
    '%': () => left % right,
    '<': () => left < right,
    '>': () => left > right,
    '<=': () => left <= right,
    '>=': () => left >= right,
  };
  return operations[operator]!();
}
