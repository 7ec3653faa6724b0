import { BuildError } from '../../core/errors.ts';
import type { Value } from '../hcl/value.ts';

/** A function of the standard library: how many arguments it takes at least and at most, and what it makes of them. */
export type StandardFunction = readonly [
  least: number,
  most: number,
  apply: (...args: readonly Value[]) => Value,
];

export type Functions = Readonly<Record<string, StandardFunction>>;

/** Any number of arguments. */
export const MANY = Number.POSITIVE_INFINITY;

/** A value that a function cannot work with. */
export function unfit(message: string): BuildError {
  return new BuildError('parse', message);
}
