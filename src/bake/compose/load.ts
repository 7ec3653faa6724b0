import { BuildError } from '../../core/errors.ts';
import { normalPath } from '../../core/paths.ts';
import type { BakeFile } from '../source.ts';
import { readYaml, type YamlNode } from '../yaml.ts';
import { interpolate, type Lookup } from './interpolate.ts';
import { at, canonical, fieldOf, mergeNodes } from './merge-nodes.ts';
import { rebased } from './rebase.ts';
import { textIn } from './texts.ts';

/** Where a Compose project comes from. */
export interface ComposeSource {
  readonly lookup: Lookup;
  /** A file that another one names, by its path from the project's folder. Fails with `not-found`. */
  readonly read: (path: string) => BakeFile;
  /** Told of what works and is probably not meant so. */
  readonly warn: (text: string, location?: YamlNode['range']) => void;
}

/**
 * Compose files as one document: variables have their values, what is included and extended is put in, and the later
 * files are laid over the earlier. Fails with `parse` or `not-found`.
 */
export async function loadCompose(files: readonly BakeFile[], source: ComposeSource): Promise<YamlNode> {
  const documents: YamlNode[] = [];
  for (const file of files) documents.push(await loadOne(file, { ...source, folder: '' }, []));
  const [first, ...others] = documents;
  return await withServices(
    others.reduce((below, above) => mergeNodes(below, above), first!),
    { ...source, folder: '' },
  );
}

/** Where a document comes from: paths in it start from this folder, seen from the project's. */
interface Loading extends ComposeSource {
  readonly folder: string;
}

async function loadOne(file: BakeFile, source: Loading, above: readonly string[]): Promise<YamlNode> {
  if (above.includes(file.name))
    throw new BuildError('parse', `${file.name} includes itself`, { hint: 'Take the file out of include.' });
  const document = filled(await readYaml(file), source);
  if (document.kind !== 'map')
    throw new BuildError('parse', `${file.name} is no Compose file`, { location: document.range });
  const included: YamlNode[] = [];
  for (const path of pathsIn(at(document, 'include'))) {
    const own = normalPath(`${source.folder}${path}`);
    const inner = { ...source, folder: folderOf(own) };
    included.push(await loadOne(source.read(own), inner, [...above, file.name]));
  }
  const placed = rebased(document, source.folder);
  return [...included, placed].reduce((below, above) => mergeNodes(below, above));
}

function pathsIn(include: YamlNode | undefined): readonly string[] {
  if (include?.kind === 'list') return include.items.flatMap(pathsIn);
  if (include?.kind === 'scalar') return [String(include.value)];
  return include === undefined ? [] : pathsIn(at(include, 'path'));
}

/** The same with values in place of variables; names stay as they are. */
function filled(node: YamlNode, source: ComposeSource): YamlNode {
  const { range } = node;
  if (node.kind === 'list') return { ...node, items: node.items.map((item) => filled(item, source)) };
  if (node.kind === 'map') {
    const fields = node.fields.map((field) => ({ ...field, value: filled(field.value, source) }));
    return { ...node, fields };
  }
  if (typeof node.value !== 'string' || !node.value.includes('$')) return node;
  const onUnset = (name: string): void =>
    source.warn(`the variable ${name} is not set: it counts as empty`, range);
  return { ...node, value: interpolate(node.value, range, { lookup: source.lookup, onUnset }) };
}

/** Every service with what it extends below it. */
async function withServices(document: YamlNode, source: Loading): Promise<YamlNode> {
  const services = at(document, 'services');
  if (document.kind !== 'map' || services?.kind !== 'map') return document;
  const fields = [];
  for (const field of services.fields)
    fields.push({ ...field, value: await extended(field.value, { services, source, above: [field.name] }) });
  const whole = { ...services, fields };
  return {
    ...document,
    fields: document.fields.map((field) => (field.name === 'services' ? { ...field, value: whole } : field)),
  };
}

interface Among {
  readonly services: YamlNode;
  readonly source: Loading;
  readonly above: readonly string[];
}

async function extended(service: YamlNode, { services, source, above }: Among): Promise<YamlNode> {
  const extend = fieldOf(service, 'extends');
  const own = longForm(service);
  if (extend === undefined) return own;
  const { value, key } = extend;
  const name = textIn(value.kind === 'scalar' ? value : at(value, 'service'));
  const written = textIn(at(value, 'file'));
  const path = written === undefined ? undefined : normalPath(`${source.folder}${written}`);
  if (name === undefined || above.includes(name + (path ?? '')))
    throw new BuildError(
      'parse',
      name === undefined ? 'extends names no service' : `${name} extends itself`,
      {
        location: key,
      },
    );
  const others = path === undefined ? services : at(await loadOther(path, source), 'services');
  const base = at(others, name);
  if (base === undefined)
    throw new BuildError('parse', `there is no service ${name} to extend`, { location: value.range });
  const below = await extended(base, {
    services: others!,
    source: path === undefined ? source : { ...source, folder: folderOf(path) },
    above: [...above, name + (path ?? '')],
  });
  return mergeNodes(below, own);
}

async function loadOther(path: string, source: Loading): Promise<YamlNode> {
  return rebased(filled(await readYaml(source.read(path)), source), folderOf(path));
}

/** The folder of a file, with a slash behind it; empty for that of the project. */
function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

function longForm(service: YamlNode): YamlNode {
  if (service.kind !== 'map') return service;
  const fields = service.fields.filter(({ name }) => name !== 'extends');
  return {
    ...service,
    fields: fields.map((field) => ({ ...field, value: canonical(field.value, field.name) })),
  };
}
