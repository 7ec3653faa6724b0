import type { SourceRange } from '../../core/errors.ts';
import type { Value } from './value.ts';

/** What stands between the braces of a block, or in a whole file. */
export interface Body {
  readonly attributes: readonly Attribute[];
  readonly blocks: readonly Block[];
}

export interface Attribute {
  readonly name: string;
  /** Where the name stands. */
  readonly range: SourceRange;
  readonly value: Expression;
}

export interface Block {
  readonly type: string;
  readonly labels: readonly { readonly text: string; readonly range: SourceRange }[];
  readonly body: Body;
  /** Where its type stands. */
  readonly range: SourceRange;
}

/** An expression of HCL, and where it stands. */
export type Expression = { readonly range: SourceRange } & Form;

type Form =
  | { readonly kind: 'literal'; readonly value: Value }
  /** Its parts as one text. */
  | { readonly kind: 'template'; readonly parts: readonly Expression[] }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'attribute'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'index'; readonly of: Expression; readonly key: Expression }
  /** `each` says what is taken of every element, which stands in it as `element`. */
  | { readonly kind: 'splat'; readonly of: Expression; readonly each: Expression }
  | { readonly kind: 'element' }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly Expression[];
      /** The last argument is a list of arguments: `f(list...)`. */
      readonly expands: boolean;
    }
  | { readonly kind: 'tuple'; readonly items: readonly Expression[] }
  | {
      readonly kind: 'object';
      readonly fields: readonly { readonly key: Expression; readonly value: Expression }[];
    }
  | ForExpression
  | {
      readonly kind: 'conditional';
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    };

/** `[for k, v in of: value if condition]`; with a `key` it makes an object. */
export interface ForExpression {
  readonly kind: 'for';
  /** The names of key and value, or of the value alone. */
  readonly names: readonly string[];
  readonly of: Expression;
  readonly key?: Expression;
  readonly value: Expression;
  readonly condition?: Expression;
  /** Values of one key are gathered in a list: `=> v...`. */
  readonly groups: boolean;
}

/** The word that an expression is, where it is nothing but a name. */
export function keywordOf(expression: Expression): string | undefined {
  if (expression.kind === 'variable') return expression.name;
  // In JSON names are texts.
  const isText = expression.kind === 'literal' && typeof expression.value === 'string';
  return isText ? String(expression.value) : undefined;
}

/** An attribute of a body by its name. */
export function attributeOf({ attributes }: Body, name: string): Attribute | undefined {
  return attributes.find((attribute) => attribute.name === name);
}
