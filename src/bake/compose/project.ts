import { withinBounds } from '../bounds.ts';
import type { Definition } from '../definition.ts';
import { merge, type Settings } from '../settings.ts';
import type { BakeFile } from '../source.ts';
import type { YamlNode } from '../yaml.ts';
import { targetName } from './build-fields.ts';
import { parseEnvFile } from './env-file.ts';
import { type ComposeSource, loadCompose } from './load.ts';
import { at, canonical } from './merge-nodes.ts';
import { type Service, serviceOf } from './service.ts';

/** A Compose project, as far as building is concerned. */
export interface Project {
  /** What the files call it. */
  readonly name?: string;
  readonly services: readonly Service[];
}

/** Reads Compose files, the later laid over the earlier. Fails with `parse` or `not-found`. */
export async function readProject(files: readonly BakeFile[], source: ComposeSource): Promise<Project> {
  const document = await withinBounds(() => loadCompose(files, source));
  const name = at(document, 'name');
  const services = at(document, 'services');
  return {
    ...(name?.kind === 'scalar' && name.value !== null && { name: String(name.value) }),
    services: (services?.kind === 'map' ? services.fields : []).map((field) => {
      const environment = environmentOf(field.value, source);
      const lookup = (name: string): string | undefined => environment.get(name) ?? source.lookup(name);
      return serviceOf(field, { document, lookup, warn: source.warn });
    }),
  };
}

/** A project as bake sees it: a target for each service that is built, all of them in the group `default`. */
export function definitionOf({ services }: Project): Definition {
  const targets = services.flatMap((service) => {
    const { name, settings, image } = service;
    if (settings === undefined) return [];
    const named: Settings = settings.tags === undefined && image !== undefined ? { tags: [image] } : {};
    return [[targetName(name), merge(named, settings)] as const];
  });
  const group = { targets: targets.map(([name]) => name) };
  return {
    groups: new Map(targets.length === 0 ? [] : [['default', group]]),
    targets: new Map(targets),
    variables: [],
  };
}

/** The variables of a service's processes: a build argument without a value takes them. */
function environmentOf(service: YamlNode, source: ComposeSource): ReadonlyMap<string, string> {
  const all = new Map<string, string>();
  for (const path of envFilesOf(at(service, 'env_file'))) {
    const file = source.read(path);
    for (const [name, value] of parseEnvFile(file, source.lookup)) all.set(name, value);
  }
  const written = at(service, 'environment');
  const own = written === undefined ? undefined : canonical(written, 'environment');
  for (const { name, value } of own?.kind === 'map' ? own.fields : []) {
    if (value.kind === 'scalar' && value.value !== null) all.set(name, String(value.value));
  }
  return all;
}

/** Those that may be missing are no part of a build's arguments. */
function envFilesOf(node: YamlNode | undefined): readonly string[] {
  if (node === undefined) return [];
  if (node.kind === 'list') return node.items.flatMap(envFilesOf);
  if (node.kind === 'scalar') return node.value === null ? [] : [String(node.value)];
  const [path, required] = ['path', 'required'].map((name) => at(node, name));
  const isOptional = required?.kind === 'scalar' && required.value === false;
  return path === undefined || isOptional ? [] : envFilesOf(path);
}
