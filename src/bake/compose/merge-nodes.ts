import type { SourceRange } from '../../core/errors.ts';
import type { YamlField, YamlNode } from '../yaml.ts';

/** A field of a map, or undefined. */
export function fieldOf(node: YamlNode | undefined, name: string): YamlField | undefined {
  return node?.kind === 'map' ? node.fields.find((field) => field.name === name) : undefined;
}

/** The value of a field of a map, or undefined. */
export function at(node: YamlNode | undefined, ...path: readonly string[]): YamlNode | undefined {
  return path.reduce<YamlNode | undefined>((inner, name) => fieldOf(inner, name)?.value, node);
}

/** Fields that may be written as a list of `NAME=VALUE`. */
const pairs: readonly string[] = [
  'args',
  'labels',
  'additional_contexts',
  'environment',
  'extra_hosts',
  'ssh',
];

/**
 * A Compose file with another one on top: maps are joined, lists follow each other, all else is replaced. `!reset` takes
 * away what is there, `!override` replaces it.
 */
export function mergeNodes(below: YamlNode, above: YamlNode, name = ''): YamlNode {
  if (above.tag === '!override') return { ...above, tag: '' };
  const [left, right] = [canonical(below, name), canonical(above, name)];
  if (left.kind === 'list' && right.kind === 'list')
    return { ...right, items: [...left.items, ...right.items] };
  if (left.kind !== 'map' || right.kind !== 'map') return right;
  const fields = new Map(left.fields.map((field) => [field.name, field]));
  for (const field of right.fields) {
    const known = fields.get(field.name);
    if (field.value.tag === '!reset') fields.delete(field.name);
    else
      fields.set(
        field.name,
        known === undefined ? field : { ...field, value: mergeNodes(known.value, field.value, field.name) },
      );
  }
  return { ...right, fields: [...fields.values()] };
}

/** The long form of what has a short one too. */
export function canonical(node: YamlNode, name: string): YamlNode {
  if (name === 'build' && node.kind === 'scalar' && node.value !== null)
    return mapOf([{ name: 'context', key: node.range, value: node }], node.range);
  if (!pairs.includes(name) || node.kind === 'map') return node;
  const items = node.kind === 'list' ? node.items : node.value === null ? [] : [node];
  const fields = items.flatMap((item) => (item.kind === 'scalar' ? [pairOf(item, name)] : []));
  return mapOf(fields, node.range);
}

function mapOf(fields: readonly YamlField[], range: SourceRange): YamlNode {
  return { kind: 'map', fields, range };
}

/** A name alone has no value; hosts may have a colon between name and address. */
function pairOf(item: Extract<YamlNode, { kind: 'scalar' }>, of: string): YamlField {
  const text = String(item.value);
  const split = of === 'extra_hosts' ? text.search(/[=:]/) : text.indexOf('=');
  const [name, value] = split < 0 ? [text, null] : [text.slice(0, split), text.slice(split + 1)];
  return { name, key: item.range, value: { kind: 'scalar', value, range: item.range } };
}
