import { own } from '../../core/own.ts';
import { normalPath } from '../../core/paths.ts';
import type { YamlNode } from '../yaml.ts';
import { canonical } from './merge-nodes.ts';

/** A document whose paths start from another folder (with a slash behind it), as the project's own folder sees them. */
export function rebased(document: YamlNode, folder: string): YamlNode {
  if (folder === '') return document;
  return mapped(document, {
    services: (services) => everyField(services, (service) => serviceOf(service, folder)),
    secrets: (secrets) =>
      everyField(secrets, (secret) => mapped(secret, { file: (file) => moved(file, folder) })),
  });
}

type Change = (node: YamlNode) => YamlNode;

function serviceOf(service: YamlNode, folder: string): YamlNode {
  const move: Change = (node) => moved(node, folder);
  const build: Change = (node) =>
    mapped(canonical(node, 'build'), {
      context: move,
      additional_contexts: (contexts) => everyField(canonical(contexts, 'additional_contexts'), move),
    });
  return mapped(service, { build, env_file: move });
}

/** The same map with some of its fields changed. */
function mapped(node: YamlNode, changes: Readonly<Record<string, Change>>): YamlNode {
  if (node.kind !== 'map') return node;
  const fields = node.fields.map((field) => {
    const change = own(changes, field.name);
    return change === undefined ? field : { ...field, value: change(field.value) };
  });
  return { ...node, fields };
}

function everyField(node: YamlNode, change: Change): YamlNode {
  if (node.kind !== 'map') return node;
  return { ...node, fields: node.fields.map((field) => ({ ...field, value: change(field.value) })) };
}

/** Addresses, absolute paths and what is no path stay as they are. */
function moved(node: YamlNode, folder: string): YamlNode {
  if (node.kind === 'list') return { ...node, items: node.items.map((item) => moved(item, folder)) };
  if (node.kind === 'map') return mapped(node, { path: (path) => moved(path, folder) });
  const { value } = node;
  if (typeof value !== 'string' || /^(?:\/|[\w.+-]+:|[\w.-]+@)/.test(value)) return node;
  return { ...node, value: normalPath(`${folder}${value}`) };
}
