import { BuildError } from '../../core/errors.ts';
import type { Locate } from '../source.ts';
import type { SyntaxNode } from './grammar.ts';
import type { Reading } from './reading.ts';
import type { Expression, ForExpression } from './syntax.ts';
import { readHeredoc, readQuoted } from './templates.ts';

/** How the expressions of a text are read. */
export function readingOf(text: string, locate: Locate): Reading {
  const reading: Reading = { text, locate, read: (node) => readExpression(node, reading) };
  return reading;
}

function readExpression(node: SyntaxNode, reading: Reading): Expression {
  if (node.type === 'expression') return readTerms(node.children, reading);
  const range = reading.locate(node.start, node.end);
  const written = reading.text.slice(node.start, node.end);
  switch (node.type) {
    case 'literal_value':
    case 'template_expr':
    case 'operation':
    case 'collection_value':
    case 'for_expr':
      return readExpression(node.children[0]!, reading);
    case 'numeric_lit':
    case 'bool_lit':
    case 'null_lit':
      return { kind: 'literal', value: JSON.parse(written) as number | boolean | null, range };
    case 'string_lit':
    case 'quoted_template':
      return readQuoted(node, reading);
    case 'heredoc_template':
      return readHeredoc(node, reading);
    case 'variable_expr':
    case 'identifier':
      return { kind: 'variable', name: written, range };
    case 'tuple':
      return { kind: 'tuple', items: inner(node).map((item) => readExpression(item, reading)), range };
    case 'object':
      return { kind: 'object', fields: fieldsOf(node, reading), range };
    case 'function_call':
      return callOf(node, reading);
    case 'for_tuple_expr':
    case 'for_object_expr':
      return { ...forOf(node, reading), range };
    case 'conditional':
      return conditionalOf(node, reading);
    case 'unary_operation':
      return unaryOf(node, reading);
    case 'binary_operation':
      return binaryOf(node, reading);
    default:
      throw new Error(`a node of HCL that is not known: ${node.type}`);
  }
}

const postfix = ['get_attr', 'index', 'splat'];
const brackets = ['(', ')'];

/** A term and what is taken of it, one behind the other as the grammar has them. */
function readTerms(nodes: readonly SyntaxNode[], reading: Reading): Expression {
  const [head, ...rest] = nodes.filter(({ type }) => !brackets.includes(type));
  return taken(readExpression(head!, reading), rest, reading);
}

function taken(of: Expression, rest: readonly SyntaxNode[], reading: Reading): Expression {
  let expression = of;
  for (const [i, next] of rest.entries()) {
    if (next.type !== 'get_attr' && next.type !== 'index')
      return splatOf(expression, next, { others: rest.slice(i + 1), reading });
    const range = { ...expression.range, ...endOf(reading.locate(next.start, next.end)) };
    expression =
      next.type === 'index'
        ? { kind: 'index', of: expression, key: keyOf(next, reading), range }
        : { kind: 'attribute', of: expression, name: attributeName(next, reading), range };
  }
  return expression;
}

function attributeName({ children }: SyntaxNode, { text }: Reading): string {
  const name = children.find(({ type }) => type === 'identifier')!;
  return text.slice(name.start, name.end);
}

function endOf({
  endLine,
  endColumn,
}: Expression['range']): Pick<Expression['range'], 'endLine' | 'endColumn'> {
  return { endLine, endColumn };
}

function keyOf(node: SyntaxNode, reading: Reading): Expression {
  const [index] = node.children;
  const key = index!.children.find(({ type }) => type === 'expression');
  if (key !== undefined) return readExpression(key, reading);
  const value = Number(reading.text.slice(index!.start, index!.end).replace('.', ''));
  return { kind: 'literal', value, range: reading.locate(index!.start, index!.end) };
}

/** All that follows `[*]` is taken of every element; of what follows `.*` only attributes are. */
function splatOf(
  of: Expression,
  node: SyntaxNode,
  { others, reading }: { readonly others: readonly SyntaxNode[]; readonly reading: Reading },
): Expression {
  const range = reading.locate(node.start, node.end);
  const [form] = node.children;
  const own = form!.children.filter(({ type }) => postfix.includes(type));
  const element: Expression = { kind: 'element', range };
  if (form!.type === 'full_splat')
    return { kind: 'splat', of, each: taken(element, [...own, ...others], reading), range };
  const attributes = own.filter(({ type }) => type === 'get_attr');
  const splat: Expression = { kind: 'splat', of, each: taken(element, attributes, reading), range };
  return taken(splat, [...own.slice(attributes.length), ...others], reading);
}

/** The members of a list, without brackets and commas. */
function inner({ children }: SyntaxNode): readonly SyntaxNode[] {
  return children.filter(({ named, type }) => named && !/_(start|end)$/.test(type));
}

function fieldsOf(node: SyntaxNode, reading: Reading) {
  const members = inner(node);
  checkApart(members, reading);
  return members.map(({ children }) => {
    const [key, value] = children.filter(({ type }) => type === 'expression');
    return { key: fieldName(key!, reading), value: readExpression(value!, reading) };
  });
}

/** The grammar lets fields follow each other with nothing between them, which HCL does not. */
function checkApart(members: readonly SyntaxNode[], { text, locate }: Reading): void {
  members.forEach(({ start, end }, i) => {
    const before = members[i - 1];
    if (before === undefined || /[,\n]/.test(text.slice(before.end - 1, start))) return;
    throw new BuildError('parse', 'a comma or a new line is missing before this', {
      location: locate(start, end),
    });
  });
}

/** A bare word is a name; in brackets it is a variable. */
function fieldName(node: SyntaxNode, reading: Reading): Expression {
  const key = readExpression(node, reading);
  const isBare = key.kind === 'variable' && node.children[0]!.type === 'variable_expr';
  return isBare ? { kind: 'literal', value: key.name, range: key.range } : key;
}

function callOf(node: SyntaxNode, reading: Reading): Expression {
  const [name, ...rest] = node.children;
  const list = rest.find(({ type }) => type === 'function_arguments')?.children ?? [];
  return {
    kind: 'call',
    name: reading.text.slice(name!.start, name!.end),
    args: list.filter(({ type }) => type === 'expression').map((one) => readExpression(one, reading)),
    expands: list.some(({ type }) => type === 'ellipsis'),
    range: reading.locate(node.start, node.end),
  };
}

function forOf({ children }: SyntaxNode, reading: Reading): ForExpression {
  const intro = children.find(({ type }) => type === 'for_intro')!;
  const names = intro.children.filter(({ type }) => type === 'identifier');
  const values = children
    .filter(({ type }) => type === 'expression')
    .map((one) => readExpression(one, reading));
  const condition = children.find(({ type }) => type === 'for_cond');
  const [first, second] = values;
  return {
    kind: 'for',
    names: names.map(({ start, end }) => reading.text.slice(start, end)),
    of: readExpression(intro.children.find(({ type }) => type === 'expression')!, reading),
    ...(second !== undefined && { key: first! }),
    value: second ?? first!,
    ...(condition !== undefined && {
      condition: readExpression(condition.children.find(({ type }) => type === 'expression')!, reading),
    }),
    groups: children.some(({ type }) => type === 'ellipsis'),
  };
}

function conditionalOf(node: SyntaxNode, reading: Reading): Expression {
  const parts = node.children.filter(({ type }) => type === 'expression');
  const [condition, yes, no] = parts.map((part) => readExpression(part, reading));
  const range = reading.locate(node.start, node.end);
  return { kind: 'conditional', condition: condition!, yes: yes!, no: no!, range };
}

function unaryOf({ children, start, end }: SyntaxNode, reading: Reading): Expression {
  const [operator, ...operand] = children;
  return {
    kind: 'unary',
    operator: reading.text.slice(operator!.start, operator!.end),
    operand: readTerms(operand, reading),
    range: reading.locate(start, end),
  };
}

function binaryOf({ children, start, end }: SyntaxNode, reading: Reading): Expression {
  const at = children.findIndex(({ named, type }) => !named && !brackets.includes(type));
  const operator = children[at]!;
  return {
    kind: 'binary',
    operator: reading.text.slice(operator.start, operator.end),
    left: readTerms(children.slice(0, at), reading),
    right: readTerms(children.slice(at + 1), reading),
    range: reading.locate(start, end),
  };
}
