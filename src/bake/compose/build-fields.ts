import { BuildError } from '../../core/errors.ts';
import { parseEntry } from '../entries.ts';
import type { Entry, Named } from '../settings.ts';
import type { YamlField, YamlNode } from '../yaml.ts';
import { at, canonical } from './merge-nodes.ts';
import { fieldsIn, textIn, wordsIn } from './texts.ts';

/** `additional_contexts`: services are targets. */
export function contextsOf(node: YamlNode): Named {
  const entries = fieldsIn(canonical(node, 'additional_contexts')).map(({ name, value }) => {
    const text = textIn(value) ?? '';
    const link = /^(?:service|target):(.*)$/s.exec(text)?.[1];
    return [name, link === undefined ? text : `target:${targetName(link)}`] as const;
  });
  return Object.fromEntries(entries);
}

/** A dot may be in the name of a service, but not in that of a target. */
export function targetName(service: string): string {
  return service.replaceAll('.', '_');
}

/** `extra_hosts`. */
export function hostsOf(node: YamlNode): Named {
  const entries = fieldsIn(canonical(node, 'extra_hosts')).map(({ name, value }) => [
    name,
    wordsIn(value).join(','),
  ]);
  return Object.fromEntries(entries) as Named;
}

/** `ssh`. */
export function agentsOf(node: YamlNode): readonly Entry[] {
  return fieldsIn(canonical(node, 'ssh')).map(({ name, value }) => {
    const path = textIn(value);
    return path === undefined ? { id: name } : { id: name, paths: [path] };
  });
}

/** The name of a secret of the project, or a map that names it. Fails with `parse`. */
export function secretOf(item: YamlNode, document: YamlNode): Entry {
  const source = textIn(item.kind === 'map' ? at(item, 'source') : item) ?? '';
  const declared = at(document, 'secrets', source);
  if (declared === undefined)
    throw new BuildError('parse', `the project declares no secret ${source}`, {
      location: item.range,
      hint: `Add it: secrets: { ${source}: { environment: NAME } }, or { file: PATH }.`,
    });
  if (textIn(at(declared, 'external')) === 'true')
    throw new BuildError('parse', `the secret ${source} is external: nobody here knows its value`, {
      location: item.range,
      hint: 'Declare it with file or environment.',
    });
  const id = textIn(at(item, 'target')) ?? source;
  const [src, env] = ['file', 'environment'].map((name) => textIn(at(declared, name)));
  return { id, ...(src !== undefined && { src }), ...(env !== undefined && { env }) };
}

/** A field of `ulimits`. */
export function limitOf({ name, value }: YamlField): string {
  const both = textIn(value);
  const [soft, hard] = ['soft', 'hard'].map((field) => textIn(at(value, field)) ?? both ?? '-1');
  return `${name}=${soft}:${hard}`;
}

/** `provenance` and `sbom`. */
export function attestOf(type: string, node: YamlNode): readonly Entry[] {
  const text = textIn(node) ?? '';
  if (text === 'false') return [{ type, disabled: 'true' }];
  return parseEntry('attest', text === 'true' || text === '' ? `type=${type}` : `type=${type},${text}`);
}
