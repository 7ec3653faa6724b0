import { BuildError } from '../../core/errors.ts';
import { arithmetic, attributeOf, itemOf } from './operators.ts';
import type { Expression, ForExpression } from './syntax.ts';
import { entriesOf, isEqual, isList, listOf, numberOf, textOf, truthOf, type Value } from './value.ts';

/** What names stand for where an expression is evaluated. */
export interface Scope {
  /** Fails with `parse` for a name that stands for nothing. */
  variable(name: string): Value;
  /** Some functions look at their arguments before these have values. */
  call(name: string, args: readonly Expression[], scope: Scope): Value;
}

/** The value of an expression. Fails with `parse`, placed at the finest part that is to blame. */
export function evaluate(expression: Expression, scope: Scope): Value {
  try {
    return computed(expression, scope);
  } catch (error) {
    throw error instanceof BuildError ? error.at(expression.range) : error;
  }
}

/** The same scope with more names in it. */
export function withNames(scope: Scope, names: ReadonlyMap<string, Value>): Scope {
  return {
    variable: (name) => (names.has(name) ? names.get(name)! : scope.variable(name)),
    call: (name, args, inner) => scope.call(name, args, inner),
  };
}

function computed(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'template':
      return expression.parts.map((part) => textIn(part, scope)).join('');
    case 'variable':
      return scope.variable(expression.name);
    case 'element':
      return scope.variable(ELEMENT);
    case 'attribute':
      return attributeOf(evaluate(expression.of, scope), expression.name);
    case 'index':
      return itemOf(evaluate(expression.of, scope), evaluate(expression.key, scope));
    case 'splat':
      return splat(expression, scope);
    case 'call':
      return scope.call(expression.name, argumentsOf(expression, scope), scope);
    case 'tuple':
      return expression.items.map((item) => evaluate(item, scope));
    case 'object':
      return objectOf(expression, scope);
    case 'for':
      return loop(expression, scope);
    case 'conditional':
      return evaluate(truthIn(expression.condition, scope) ? expression.yes : expression.no, scope);
    case 'unary':
      return unary(expression, scope);
    case 'binary':
      return binary(expression, scope);
  }
}

/** No name of HCL looks like this. */
const ELEMENT = '*';

type Of<Kind> = Extract<Expression, { kind: Kind }>;

/** What is no list counts as one of one element, null as an empty one. */
function splat({ of, each }: Of<'splat'>, scope: Scope): Value {
  const value = evaluate(of, scope);
  const list = isList(value) ? value : value === null ? [] : [value];
  return list.map((element) => evaluate(each, withNames(scope, new Map([[ELEMENT, element]]))));
}

function argumentsOf({ args, expands }: Of<'call'>, scope: Scope): readonly Expression[] {
  const last = args.at(-1);
  if (!expands || last === undefined) return args;
  const values = listOf(evaluate(last, scope));
  const { range } = last;
  return [...args.slice(0, -1), ...values.map((value) => ({ kind: 'literal', value, range }) as const)];
}

function objectOf({ fields }: Of<'object'>, scope: Scope): Value {
  const object = new Map<string, Value>();
  for (const { key, value } of fields) object.set(textIn(key, scope), evaluate(value, scope));
  return object;
}

function loop(expression: ForExpression, scope: Scope): Value {
  const scopes = entriesOf(evaluate(expression.of, scope))
    .map((entry) => withNames(scope, namesOf(expression, entry)))
    .filter((inner) => expression.condition === undefined || truthIn(expression.condition, inner));
  const { key, value } = expression;
  if (key === undefined) return scopes.map((inner) => evaluate(value, inner));
  const object = new Map<string, Value>();
  for (const inner of scopes) addTo(object, { expression, key, inner });
  return object;
}

function namesOf({ names }: ForExpression, [key, value]: readonly [Value, Value]): Map<string, Value> {
  const [first, second] = names;
  return second === undefined
    ? new Map([[first!, value]])
    : new Map([
        [first!, key],
        [second, value],
      ]);
}

function addTo(
  object: Map<string, Value>,
  {
    expression: { value, groups },
    key,
    inner,
  }: { readonly expression: ForExpression; readonly key: Expression; readonly inner: Scope },
): void {
  const name = textIn(key, inner);
  const known = object.get(name);
  const made = evaluate(value, inner);
  if (groups) object.set(name, [...((known ?? []) as readonly Value[]), made]);
  else if (known === undefined) object.set(name, made);
  else
    throw new BuildError('parse', `two elements have the key "${name}"`, {
      location: key.range,
      hint: 'Write `...` behind the value to gather the values of a key in a list.',
    });
}

function textIn(expression: Expression, scope: Scope): string {
  return placed(expression, () => textOf(evaluate(expression, scope)));
}

function truthIn(expression: Expression, scope: Scope): boolean {
  return placed(expression, () => truthOf(evaluate(expression, scope)));
}

function numberIn(expression: Expression, scope: Scope): number {
  return placed(expression, () => numberOf(evaluate(expression, scope)));
}

function placed<T>({ range }: Expression, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof BuildError ? error.at(range) : error;
  }
}

function unary({ operator, operand }: Of<'unary'>, scope: Scope): Value {
  return operator === '!' ? !truthIn(operand, scope) : -numberIn(operand, scope);
}

function binary({ operator, left, right }: Of<'binary'>, scope: Scope): Value {
  switch (operator) {
    case '&&':
      return truthIn(left, scope) && truthIn(right, scope);
    case '||':
      return truthIn(left, scope) || truthIn(right, scope);
    case '==':
      return isEqual(evaluate(left, scope), evaluate(right, scope));
    case '!=':
      return !isEqual(evaluate(left, scope), evaluate(right, scope));
    default:
      return arithmetic(operator, numberIn(left, scope), numberIn(right, scope));
  }
}
