import { BuildError, suggestion } from '../../core/errors.ts';
import { own } from '../../core/own.ts';
import { type EntryAttribute, parseEntry } from '../entries.ts';
import { type Attribute, merge, type Named, rules, type Settings } from '../settings.ts';
import type { YamlField, YamlNode } from '../yaml.ts';
import { agentsOf, attestOf, contextsOf, hostsOf, limitOf, secretOf } from './build-fields.ts';
import { at, canonical } from './merge-nodes.ts';
import { fieldsIn, itemsOf, namesIn, textIn, wordsIn } from './texts.ts';

/** A service of a Compose project, as far as building is concerned. */
export interface Service {
  readonly name: string;
  /** What its image is built from; absent where it is only pulled. */
  readonly settings?: Settings;
  readonly image?: string;
  /** Where it runs for one platform, what is built for, unless the build says so itself. */
  readonly platform?: string;
  readonly profiles: readonly string[];
  readonly dependsOn: readonly string[];
}

interface Around {
  /** The whole project: secrets are declared there. */
  readonly document: YamlNode;
  /** What a build argument without a value takes. */
  readonly lookup: (name: string) => string | undefined;
  readonly warn: (text: string, location?: YamlNode['range']) => void;
}

/** Reads a service. Fails with `parse`, placed where something has no sense. */
export function serviceOf({ name, key, value }: YamlField, around: Around): Service {
  if (!/^[\w.-]+$/.test(name))
    throw new BuildError('parse', 'this is no name for a service', {
      location: key,
      hint: 'Letters, digits, dots, - and _ make a name.',
    });
  const build = at(value, 'build');
  const [image, platform] = ['image', 'platform'].map((field) => textIn(at(value, field)));
  return {
    name,
    profiles: wordsIn(at(value, 'profiles')),
    dependsOn: namesIn(at(value, 'depends_on')),
    ...(image !== undefined && { image }),
    ...(platform !== undefined && { platform }),
    ...(build !== undefined && { settings: settingsOf(canonical(build, 'build'), around) }),
  };
}

/** How each field of `build` is said in a bake file; what is read in another way has a reader. */
const plainFields: Readonly<Record<string, Attribute>> = {
  context: 'context',
  dockerfile: 'dockerfile',
  dockerfile_inline: 'dockerfile-inline',
  args: 'args',
  labels: 'labels',
  tags: 'tags',
  target: 'target',
  cache_from: 'cache-from',
  cache_to: 'cache-to',
  platforms: 'platforms',
  network: 'network',
  shm_size: 'shm-size',
  no_cache: 'no-cache',
  no_cache_filter: 'no-cache-filter',
  pull: 'pull',
  entitlements: 'entitlements',
};

type Reader = (node: YamlNode, around: Around) => Settings;

const readers: Readonly<Record<string, Reader>> = {
  additional_contexts: (node) => ({ contexts: contextsOf(node) }),
  extra_hosts: (node) => ({ 'extra-hosts': hostsOf(node) }),
  ssh: (node) => ({ ssh: agentsOf(node) }),
  secrets: (node, around) => ({ secret: itemsOf(node).map((item) => secretOf(item, around.document)) }),
  ulimits: (node) => ({ ulimits: fieldsIn(node).map(limitOf) }),
  provenance: (node) => ({ attest: attestOf('provenance', node) }),
  sbom: (node) => ({ attest: attestOf('sbom', node) }),
  privileged: (node) => (textIn(node) === 'true' ? { entitlements: ['security.insecure'] } : {}),
  isolation: (node, { warn }) => {
    warn('isolation has no effect: it is about Windows', node.range);
    return {};
  },
  'x-bake': extension,
};

function settingsOf(build: YamlNode, around: Around): Settings {
  if (build.kind !== 'map')
    throw new BuildError('parse', 'build is a folder, or a map', { location: build.range });
  return build.fields.map((field) => placed(field, () => fieldSettings(field, around))).reduce(merge, {});
}

function fieldSettings({ name, key, value }: YamlField, around: Around): Settings {
  const reader = own(readers, name);
  if (reader !== undefined) return reader(value, around);
  const attribute = own(plainFields, name);
  if (attribute !== undefined) return plainSetting(attribute, value, around);
  if (name.startsWith('x-')) return {};
  const known = [...Object.keys(plainFields), ...Object.keys(readers)];
  throw new BuildError('parse', `build has no ${name}`, {
    location: key,
    hint: suggestion(name, known) ?? `It has ${known.join(', ')}.`,
  });
}

function plainSetting(attribute: Attribute, node: YamlNode, around: Around): Settings {
  const { kind } = rules[attribute];
  if (kind === 'named') return { [attribute]: namedOf(attribute, node, around) };
  if (kind === 'list') return { [attribute]: wordsIn(node) };
  if (kind === 'entries')
    return { [attribute]: wordsIn(node).flatMap((text) => parseEntry(attribute as EntryAttribute, text)) };
  const text = textIn(node);
  if (kind === 'truth') return { [attribute]: text === 'true' };
  return text === undefined ? {} : { [attribute]: text };
}

/** An argument without a value takes one of the environment, or is left away. */
function namedOf(attribute: Attribute, node: YamlNode, { lookup }: Around): Named {
  const entries = fieldsIn(canonical(node, attribute)).flatMap(({ name, value }) => {
    const text = textIn(value) ?? (attribute === 'args' ? lookup(name) : '');
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(entries);
}

/** What only bake knows: its attributes under their own names. */
function extension(node: YamlNode): Settings {
  const known = [
    'tags',
    'cache-from',
    'cache-to',
    'secret',
    'ssh',
    'platforms',
    'output',
    'pull',
    'no-cache',
  ];
  return fieldsIn(node)
    .map((field) => placed(field, () => extensionField(field, [...known, 'no-cache-filter', 'contexts'])))
    .reduce(merge, {});
}

function extensionField({ name, key, value }: YamlField, known: readonly string[]): Settings {
  if (!known.includes(name))
    throw new BuildError('parse', `x-bake has no ${name}`, {
      location: key,
      hint: suggestion(name, known) ?? `It has ${known.join(', ')}.`,
    });
  if (name === 'contexts') return { contexts: contextsOf(value) };
  const attribute = name as Attribute;
  const { kind } = rules[attribute];
  const words = value.kind === 'scalar' ? (textIn(value) ?? '').split(/\s+/) : wordsIn(value);
  if (kind === 'truth') return { [attribute]: textIn(value) === 'true' };
  if (kind === 'list') return { [attribute]: words };
  return { [attribute]: words.flatMap((text) => parseEntry(attribute as EntryAttribute, text)) };
}

function placed<T>({ name, value }: YamlField, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof BuildError) || error.location !== undefined) throw error;
    const { hint, message } = error;
    throw new BuildError('parse', message.startsWith(name) ? message : `${name}: ${message}`, {
      location: value.range,
      ...(hint !== undefined && { hint }),
    });
  }
}
