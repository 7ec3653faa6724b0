import { BuildError } from '../core/errors.ts';
import { evaluate, type Scope } from './hcl/evaluate.ts';
import { attributeOf, type Block } from './hcl/syntax.ts';
import { textOf, truthOf } from './hcl/value.ts';

/** Fails with `parse` where a value is not what the blocks that declare its variable allow; `scope` knows it. */
export function validate(name: string, declared: readonly Block[], scope: Scope): void {
  for (const { type, range, body } of declared.flatMap(({ body }) => body.blocks)) {
    if (type !== 'validation')
      throw new BuildError('parse', `a variable has no ${type}`, { location: range });
    const condition = attributeOf(body, 'condition')?.value;
    if (condition === undefined)
      throw new BuildError('parse', 'the validation has no condition', { location: range });
    if (truthOf(evaluate(condition, scope))) continue;
    const message = attributeOf(body, 'error_message')?.value;
    const why = message === undefined ? 'its value is not allowed' : textOf(evaluate(message, scope));
    throw new BuildError('parse', `the variable ${name}: ${why}`, { location: condition.range });
  }
}
