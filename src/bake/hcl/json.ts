import { BuildError } from '../../core/errors.ts';
import type { BakeFile } from '../source.ts';
import { readYaml, type YamlField, type YamlNode } from '../yaml.ts';
import type { ReadSyntax } from './grammar.ts';
import { parseExpression, parseTemplate } from './parse.ts';
import type { Attribute, Block, Body, Expression } from './syntax.ts';

/** What in a file in JSON is a block: an object of these names holds blocks by their labels. */
const blockTypes: readonly string[] = ['variable', 'function', 'group', 'target'];

/** A file in HCL's form of JSON. Fails with `parse`. */
export async function parseJson(file: BakeFile, read: ReadSyntax): Promise<Body> {
  const fields = fieldsOf(await readYaml(file));
  const isBlock = ({ name }: YamlField): boolean => blockTypes.includes(name);
  return {
    attributes: fields.filter((field) => !isBlock(field)).map((field) => attributeFrom(field, read)),
    blocks: fields.filter(isBlock).flatMap((field) => blocksFrom(field, read)),
  };
}

/** Several objects count as one. */
function fieldsOf(node: YamlNode): readonly YamlField[] {
  if (node.kind === 'list') return node.items.flatMap(fieldsOf);
  if (node.kind === 'map') return node.fields;
  throw new BuildError('parse', 'an object is needed here', { location: node.range });
}

function eachOf(node: YamlNode): readonly YamlNode[] {
  return node.kind === 'list' ? node.items : [node];
}

function blocksFrom({ name: type, key, value }: YamlField, read: ReadSyntax): readonly Block[] {
  return fieldsOf(value).flatMap((label) =>
    eachOf(label.value).map((body) => ({
      type,
      labels: [{ text: label.name, range: label.key }],
      body: bodyOf(body, read),
      range: key,
    })),
  );
}

/** Only a variable has blocks in it. */
function bodyOf(node: YamlNode, read: ReadSyntax): Body {
  const fields = fieldsOf(node);
  const isBlock = ({ name }: YamlField): boolean => name === 'validation';
  return {
    attributes: fields.filter((field) => !isBlock(field)).map((field) => attributeFrom(field, read)),
    blocks: fields.filter(isBlock).flatMap(({ key, value }) =>
      eachOf(value).map((body) => ({
        type: 'validation',
        labels: [],
        body: bodyOf(body, read),
        range: key,
      })),
    ),
  };
}

function attributeFrom({ name, key, value }: YamlField, read: ReadSyntax): Attribute {
  const isType = name === 'type' && value.kind === 'scalar' && typeof value.value === 'string';
  return {
    name,
    range: key,
    value: isType ? parseExpression(String(value.value), read, value.range) : expressionFrom(value, read),
  };
}

/** Texts are templates. */
function expressionFrom(node: YamlNode, read: ReadSyntax): Expression {
  const { range } = node;
  if (node.kind === 'list')
    return { kind: 'tuple', items: node.items.map((item) => expressionFrom(item, read)), range };
  if (node.kind === 'map') {
    const fields = node.fields.map(({ name, key, value }) => ({
      key: parseTemplate(name, read, key),
      value: expressionFrom(value, read),
    }));
    return { kind: 'object', fields, range };
  }
  const { value } = node;
  return typeof value === 'string' ? parseTemplate(value, read, range) : { kind: 'literal', value, range };
}
