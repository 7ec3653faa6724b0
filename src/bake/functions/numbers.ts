import { isEqual, numberOf, textOf, truthOf, type Value } from '../hcl/value.ts';
import { type Functions, MANY, type StandardFunction, unfit } from './function.ts';

/** Arithmetic, comparison and logic. */
export const numberFunctions: Functions = {
  absolute: one(Math.abs),
  add: two((a, b) => a + b),
  ceil: one(Math.ceil),
  divide: two((a, b) => a / divisor(b)),
  floor: one(Math.floor),
  greaterthan: two((a, b) => a > b),
  greaterthanorequalto: two((a, b) => a >= b),
  int: one(Math.trunc),
  lessthan: two((a, b) => a < b),
  lessthanorequalto: two((a, b) => a <= b),
  log: two((a, base) => Math.log(a) / Math.log(base)),
  max: [1, MANY, (...all) => Math.max(...all.map(numberOf))],
  min: [1, MANY, (...all) => Math.min(...all.map(numberOf))],
  modulo: two((a, b) => a % divisor(b)),
  multiply: two((a, b) => a * b),
  negate: one((a) => -a),
  parseint: [2, 2, (text, base) => wholeNumber(textOf(text!), numberOf(base!))],
  pow: two((a, b) => a ** b),
  signum: one(Math.sign),
  subtract: two((a, b) => a - b),
  and: [2, 2, (a, b) => truthOf(a!) && truthOf(b!)],
  or: [2, 2, (a, b) => truthOf(a!) || truthOf(b!)],
  not: [1, 1, (a) => !truthOf(a!)],
  equal: [2, 2, (a, b) => isEqual(a!, b!)],
  notequal: [2, 2, (a, b) => !isEqual(a!, b!)],
};

function one(apply: (a: number) => number): StandardFunction {
  return [1, 1, (a) => apply(numberOf(a!))];
}

function two(apply: (a: number, b: number) => Value): StandardFunction {
  return [2, 2, (a, b) => apply(numberOf(a!), numberOf(b!))];
}

function divisor(value: number): number {
  if (value === 0) throw unfit('nothing can be divided by zero');
  return value;
}

function wholeNumber(text: string, base: number): number {
  if (!Number.isInteger(base) || base < 2 || base > 36) throw unfit(`a base is 2 to 36, not ${base}`);
  const digits = '0123456789abcdefghijklmnopqrstuvwxyz'.slice(0, base);
  const isNumber = new RegExp(`^[+-]?[${digits}]+$`, 'i').test(text);
  if (!isNumber) throw unfit(`"${text}" is no number of base ${base}`);
  return Number.parseInt(text, base);
}
