import type { Document, Node, Pair, YAMLMap } from 'yaml';
import { BuildError, type SourceRange } from '../core/errors.ts';
import { type BakeFile, type Locate, locateIn } from './source.ts';

/** A value of YAML or JSON, and where it stands. */
export type YamlNode = { readonly range: SourceRange; readonly tag?: string } & (
  | { readonly kind: 'map'; readonly fields: readonly YamlField[] }
  | { readonly kind: 'list'; readonly items: readonly YamlNode[] }
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null }
);

export interface YamlField {
  readonly name: string;
  /** Where the name stands. */
  readonly key: SourceRange;
  readonly value: YamlNode;
}

/** Nodes that a document may have once its aliases are put in: what has more was made to be large. */
const MOST_NODES = 200_000;

/**
 * Reads a text as YAML 1.2, of which JSON is a part; `<<` joins maps, and aliases are replaced. Fails with `parse`, placed
 * where it goes wrong.
 */
export async function readYaml(file: BakeFile): Promise<YamlNode> {
  const yaml = await import('yaml');
  const document: Document = yaml.parseDocument(file.text, { merge: true });
  const [error] = document.errors;
  if (error !== undefined) throw syntaxError(error.message, locateIn(file)(...error.pos));
  return nodeOf(document.contents as Node | null, {
    yaml,
    document,
    file,
    locate: locateIn(file),
    count: { nodes: 0 },
  });
}

function syntaxError(message: string, location: SourceRange): BuildError {
  const [sentence = ''] = message.split('\n');
  const clause = sentence.replace(/ at line \d+, column \d+:?$/, '').replace(/\.$/, '');
  return new BuildError('parse', clause.charAt(0).toLowerCase() + clause.slice(1), { location });
}

interface Reading {
  readonly yaml: typeof import('yaml');
  readonly document: Document;
  readonly file: BakeFile;
  readonly locate: Locate;
  readonly count: { nodes: number };
}

function nodeOf(node: unknown, reading: Reading): YamlNode {
  const { yaml, document, count, file } = reading;
  if (++count.nodes > MOST_NODES)
    throw new BuildError('parse', `${file.name} is larger than any file needs to be`);
  const range = rangeOf(node, reading);
  if (yaml.isAlias(node)) {
    const target = node.resolve(document);
    if (target === undefined)
      throw new BuildError('parse', `there is no anchor ${node.source}`, { location: range });
    return { ...nodeOf(target, reading), range };
  }
  const own = ownTag(node, reading);
  if (yaml.isSeq(node))
    return { kind: 'list', items: node.items.map((item) => nodeOf(item, reading)), range, ...own };
  if (yaml.isMap(node)) return { kind: 'map', fields: fieldsOf(node, reading), range, ...own };
  return { kind: 'scalar', value: plain(yaml.isScalar(node) ? node.value : null), range, ...own };
}

function ownTag(node: unknown, { yaml }: Reading): { readonly tag?: string } {
  const tag = yaml.isNode(node) && !yaml.isAlias(node) ? node.tag : undefined;
  return tag?.startsWith('!') === true && !tag.startsWith('!!') ? { tag } : {};
}

function plain(value: unknown): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value);
}

/** What a map joins by `<<` counts where it has no field of that name itself. */
function fieldsOf(map: YAMLMap, reading: Reading): readonly YamlField[] {
  const own: YamlField[] = [];
  const others: YamlField[] = [];
  for (const { key, value } of map.items as readonly Pair[]) {
    const name = nameOf(key, reading);
    const node = nodeOf(value, reading);
    if (name === '<<') others.push(...joined(node));
    else own.push({ name, key: rangeOf(key, reading), value: node });
  }
  return [...new Map([...others, ...own].map((field) => [field.name, field])).values()];
}

function joined(value: YamlNode): readonly YamlField[] {
  if (value.kind === 'map') return value.fields;
  // Of several the first counts.
  return value.kind === 'list' ? [...value.items].reverse().flatMap(joined) : [];
}

function nameOf(key: unknown, { yaml }: Reading): string {
  if (!yaml.isScalar(key)) return '';
  return typeof key.value === 'symbol' ? '<<' : String(key.value);
}

function rangeOf(node: unknown, { yaml, locate }: Reading): SourceRange {
  const [start, end] = (yaml.isNode(node) && node.range) || [0, 1];
  return locate(start, end);
}
