import { BuildError } from '../../core/errors.ts';
import { type BakeFile, locateIn } from '../source.ts';
import { readingOf } from './expressions.ts';
import type { ReadSyntax, SyntaxNode } from './grammar.ts';
import type { Reading } from './reading.ts';
import type { Attribute, Block, Body, Expression } from './syntax.ts';
import { templateText } from './templates.ts';

/** A file in HCL as its attributes and blocks. Fails with `parse` where it is none. */
export function parseHcl(file: BakeFile, read: ReadSyntax): Body {
  const root = read(file.text);
  const reading = readingOf(file.text, locateIn(file));
  checkWhole(root, reading);
  return readBody(
    root.children.find(({ type }) => type === 'body'),
    reading,
  );
}

/** A lone expression that stands in a text: the type of a variable in JSON. Errors are placed there. */
export function parseExpression(text: string, read: ReadSyntax, place: Expression['range']): Expression {
  const source = `x = ${text}\n`;
  return lone(source, read, place);
}

function lone(source: string, read: ReadSyntax, place: Expression['range']): Expression {
  const root = read(source);
  const reading = readingOf(source, () => place);
  checkWhole(root, reading);
  const body = root.children.find(({ type }) => type === 'body');
  return readBody(body, reading).attributes[0]!.value;
}

/** A text with `${…}` and `%{…}` in it, as a string of JSON holds it. Errors are placed at `file`'s `start`. */
export function parseTemplate(text: string, read: ReadSyntax, place: Expression['range']): Expression {
  if (!/[$%]\{/.test(text)) return { kind: 'literal', value: text, range: place };
  // A heredoc takes quotes and backslashes as they are.
  const [head, mark] = ['x = <<', 'END_OF_TEMPLATE'];
  const source = `${head}${mark}\n${text}\n${mark}\n`;
  return withoutLastNewline(lone(source, read, place));
}

function withoutLastNewline(expression: Expression): Expression {
  if (expression.kind !== 'template') return expression;
  const { parts, range } = expression;
  const last = parts.at(-1)!;
  if (last.kind !== 'literal') return expression;
  const rest = String(last.value).replace(/\n$/, '');
  const kept = [...parts.slice(0, -1), ...(rest === '' ? [] : [{ ...last, value: rest }])];
  const [only, ...others] = kept;
  if (only === undefined || others.length > 0) return { kind: 'template', parts: kept, range };
  return only;
}

/** Fails for the first place where the text is no HCL. */
function checkWhole(root: SyntaxNode, { text, locate }: Reading): void {
  const broken = firstBroken(root);
  if (broken === undefined) return;
  checkQuotes(root, { text, locate });
  const written = text.slice(broken.start, Math.max(broken.end, broken.start)).trim();
  const [line = ''] = written.split('\n');
  const what = line === '' ? 'something is missing here' : `'${line.slice(0, 40)}' does not belong here`;
  throw new BuildError('parse', what, {
    location: locate(broken.start, Math.min(broken.end, broken.start + Math.max(line.length, 1))),
    hint: 'Check brackets, quotes and commas around it: the file is HCL.',
  });
}

/** A text that goes on in the next line has lost its end, which is missed only far below. */
function checkQuotes(node: SyntaxNode, reading: Pick<Reading, 'text' | 'locate'>): void {
  const { text, locate } = reading;
  const isText = node.type === 'string_lit' || node.type === 'quoted_template';
  const holds = node.children.find(
    ({ type, start, end }) => type === 'template_literal' && text.slice(start, end).includes('\n'),
  );
  if (isText && holds !== undefined) {
    const end = text.indexOf('\n', holds.start);
    throw new BuildError('parse', 'this text has no closing quote', { location: locate(node.start, end) });
  }
  for (const child of node.children) checkQuotes(child, reading);
}

function firstBroken(node: SyntaxNode): SyntaxNode | undefined {
  for (const child of node.children) {
    const found = firstBroken(child);
    if (found !== undefined) return found;
  }
  return node.broken ? node : undefined;
}

function readBody(node: SyntaxNode | undefined, reading: Reading): Body {
  const children = node?.children ?? [];
  checkLines(children, reading);
  const attributes = children
    .filter(({ type }) => type === 'attribute')
    .map((one) => readAttribute(one, reading));
  const blocks = children.filter(({ type }) => type === 'block').map((one) => readBlock(one, reading));
  checkTwice(attributes);
  return { attributes, blocks };
}

function readAttribute({ children }: SyntaxNode, reading: Reading): Attribute {
  const [name, , value] = children;
  return {
    name: textOf(name!, reading),
    range: reading.locate(name!.start, name!.end),
    value: reading.read(value!),
  };
}

function readBlock({ children }: SyntaxNode, reading: Reading): Block {
  const [type, ...rest] = children;
  const labels = rest.filter(({ type }) => type === 'string_lit' || type === 'identifier');
  return {
    type: textOf(type!, reading),
    labels: labels.map((label) => ({
      text: label.type === 'identifier' ? textOf(label, reading) : templateText(label, reading),
      range: reading.locate(label.start, label.end),
    })),
    body: readBody(
      rest.find(({ type }) => type === 'body'),
      reading,
    ),
    range: reading.locate(type!.start, type!.end),
  };
}

function textOf({ start, end }: SyntaxNode, { text }: Reading): string {
  return text.slice(start, end);
}

/** The grammar lets several attributes stand on one line, which HCL does not. */
function checkLines(children: readonly SyntaxNode[], { text, locate }: Reading): void {
  children.forEach((child, i) => {
    const before = children[i - 1];
    if (before === undefined || text.slice(before.end - 1, child.start).includes('\n')) return;
    throw new BuildError('parse', 'every attribute and block begins on a line of its own', {
      location: locate(child.start, child.end),
    });
  });
}

function checkTwice(attributes: readonly Attribute[]): void {
  const twice = attributes.find(({ name }, at) => attributes.findIndex((one) => one.name === name) < at);
  if (twice === undefined) return;
  throw new BuildError('parse', `${twice.name} is set twice`, {
    location: twice.range,
    hint: 'Leave one of them away.',
  });
}
