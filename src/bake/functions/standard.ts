import { BuildError, suggestion } from '../../core/errors.ts';
import { own } from '../../core/own.ts';
import { evaluate, type Scope } from '../hcl/evaluate.ts';
import type { Expression } from '../hcl/syntax.ts';
import { convert, typeOf } from '../hcl/types.ts';
import type { Value } from '../hcl/value.ts';
import { addressFunctions } from './addresses.ts';
import { collectionFunctions } from './collections.ts';
import { dateFunctions } from './dates.ts';
import { encodingFunctions } from './encodings.ts';
import { type Functions, MANY, unfit } from './function.ts';
import { numberFunctions } from './numbers.ts';
import { patternFunctions } from './patterns.ts';
import { stringFunctions } from './strings.ts';

const plain: Functions = {
  ...addressFunctions,
  ...collectionFunctions,
  ...dateFunctions,
  ...encodingFunctions,
  ...numberFunctions,
  ...patternFunctions,
  ...stringFunctions,
};

/** Functions that look at their arguments before these have values. */
const special: Readonly<Record<string, (args: readonly Expression[], scope: Scope) => Value>> = {
  can: (args, scope) => attempt(args[0]!, scope) !== undefined,
  convert: (args, scope) => convert(evaluate(args[0]!, scope), typeOf(args[1]!)),
  try: firstThatWorks,
};

/** Every name of the standard library. */
export const standardNames: readonly string[] = [...Object.keys(plain), ...Object.keys(special)].sort();

/** Calls a function of the standard library. Fails with `parse`. */
export function callStandard(name: string, args: readonly Expression[], scope: Scope): Value {
  const direct = own(special, name);
  if (direct !== undefined) {
    checkCount(name, args.length, name === 'try' ? [1, MANY] : name === 'can' ? [1, 1] : [2, 2]);
    return direct(args, scope);
  }
  const known = own(plain, name);
  if (known === undefined) throw unknownFunction(name);
  const [least, most, apply] = known;
  checkCount(name, args.length, [least, most]);
  return named(name, () => apply(...args.map((arg) => evaluate(arg, scope))));
}

/** What a name that no function has is told. */
export function unknownFunction(name: string, others: readonly string[] = []): BuildError {
  const hint = suggestion(name, [...standardNames, ...others]);
  return new BuildError('parse', `there is no function ${name}`, hint === undefined ? {} : { hint });
}

/** Fails with `parse` where a call has too few or too many arguments. */
export function checkCount(name: string, count: number, [least, most]: readonly [number, number]): void {
  if (count >= least && count <= most) return;
  const wanted = least === most ? `${least}` : most === MANY ? `${least} or more` : `${least} to ${most}`;
  throw unfit(`${name} takes ${wanted} argument${wanted === '1' ? '' : 's'}, not ${count}`);
}

/** An argument's own failure has its place already, and keeps its words. */
function named(name: string, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof BuildError) || error.location !== undefined) throw error;
    throw new BuildError(error.code, `${name}: ${error.message}`);
  }
}

function attempt(arg: Expression, scope: Scope): Value | undefined {
  try {
    return evaluate(arg, scope);
  } catch (error) {
    if (error instanceof BuildError) return undefined;
    throw error;
  }
}

function firstThatWorks(args: readonly Expression[], scope: Scope): Value {
  for (const arg of args.slice(0, -1)) {
    const value = attempt(arg, scope);
    if (value !== undefined) return value;
  }
  return evaluate(args.at(-1)!, scope);
}
