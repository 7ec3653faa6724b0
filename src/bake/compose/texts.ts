import { BuildError } from '../../core/errors.ts';
import type { YamlField, YamlNode } from '../yaml.ts';

/** The fields of a map. Fails with `parse` for what is none. */
export function fieldsIn(node: YamlNode): readonly YamlField[] {
  if (node.kind === 'map') return node.fields;
  if (node.kind === 'scalar' && node.value === null) return [];
  throw new BuildError('parse', 'a map is needed here', { location: node.range });
}

/** The elements of a list; what is none is one. */
export function itemsOf(node: YamlNode): readonly YamlNode[] {
  return node.kind === 'list' ? node.items : [node];
}

/** The names of a map, or the words of a list. */
export function namesIn(node: YamlNode | undefined): readonly string[] {
  return node?.kind === 'map' ? node.fields.map(({ name }) => name) : wordsIn(node);
}

/** The words of a list, or a lone one. */
export function wordsIn(node: YamlNode | undefined): readonly string[] {
  return node === undefined ? [] : itemsOf(node).flatMap((item) => textIn(item) ?? []);
}

/** A text, number or truth as text; undefined for what has none. */
export function textIn(node: YamlNode | undefined): string | undefined {
  return node?.kind === 'scalar' && node.value !== null ? String(node.value) : undefined;
}
