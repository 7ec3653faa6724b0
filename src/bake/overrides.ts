import { booleanOf } from '../core/boolean.ts';
import { suggestion, usageError } from '../core/errors.ts';
import { own } from '../core/own.ts';
import { type EntryAttribute, parseEntry } from './entries.ts';
import { matches } from './names.ts';
import { type Attribute, attributeNames, type Entry, rules, type Settings } from './settings.ts';

/** One `--set`, taken apart. */
interface Override {
  readonly written: string;
  /** Which targets, with `*` and `?`. */
  readonly pattern: string;
  readonly attribute: Attribute | 'push' | 'load';
  /** The name within `args`, `labels`, `contexts` and `extra-hosts`. */
  readonly name: string;
  readonly value: string;
  /** `+=`: to what is there. */
  readonly adds: boolean;
}

const spellings: Readonly<Record<string, Attribute>> = {
  platform: 'platforms',
  secrets: 'secret',
  outputs: 'output',
  annotation: 'annotations',
};

/**
 * Reads every `--set PATTERN.ATTRIBUTE[.NAME]=VALUE`. Fails with `usage`. What it gives changes the settings of a target.
 */
export function readOverrides(
  texts: readonly string[],
  {
    targets,
    env,
  }: { readonly targets: readonly string[]; readonly env: Readonly<Record<string, string | undefined>> },
): (target: string, settings: Settings) => Settings {
  const overrides = texts.flatMap((text) => parse(text, env));
  for (const { written, pattern } of overrides) {
    if (targets.some((name) => matches(pattern, name))) continue;
    throw usageError(
      `--set '${written}': there is no target ${pattern}`,
      suggestion(pattern, targets) ?? listed(targets),
    );
  }
  return (target, settings) => {
    const ours = overrides.filter(({ pattern }) => matches(pattern, target));
    let all = settings;
    ours.forEach((one, at) => {
      const isFirst = ours.findIndex(({ attribute }) => attribute === one.attribute) === at;
      all = { ...all, ...changed(all, one, isFirst && !one.adds) };
    });
    return all;
  };
}

function listed(targets: readonly string[]): string {
  return `There are: ${targets.join(', ')}.`;
}

const form =
  'Write --set TARGET.ATTRIBUTE=VALUE, such as --set app.args.VERSION=1 or --set *.platform=linux/arm64.';

function parse(text: string, env: Readonly<Record<string, string | undefined>>): readonly Override[] {
  const equals = text.indexOf('=');
  const left = equals < 0 ? text : text.slice(0, equals);
  const path = left.replace(/\+$/, '');
  const [pattern = '', word = '', ...rest] = path.split('.');
  const name = rest.join('.');
  const attribute = attributeFor(text, word);
  const named = attribute !== 'push' && attribute !== 'load' && rules[attribute].kind === 'named';
  if (pattern === '' || named !== (name !== ''))
    throw usageError(
      `--set '${text}'${named ? `: ${word} needs a name` : ' names no target and attribute'}`,
      form,
    );
  const value = equals < 0 ? withoutValue(text, { attribute, name, env }) : text.slice(equals + 1);
  if (value === undefined) return [];
  return [{ written: text, pattern, attribute, name, value, adds: left.endsWith('+') }];
}

function attributeFor(text: string, word: string): Override['attribute'] {
  if (word === 'push' || word === 'load') return word;
  const spelled = own(spellings, word) ?? word;
  const known = attributeNames.find((name) => name === spelled);
  if (known !== undefined && known !== 'inherits' && known !== 'description') return known;
  const hint = suggestion(word, [...attributeNames, ...Object.keys(spellings)]) ?? form;
  throw usageError(`--set '${text}': a target has no ${word === '' ? 'attribute of that name' : word}`, hint);
}

/** A build argument without a value takes that of the environment; a truth is meant to be true. */
function withoutValue(
  text: string,
  {
    attribute,
    name,
    env,
  }: Pick<Override, 'attribute' | 'name'> & { readonly env: Readonly<Record<string, string | undefined>> },
): string | undefined {
  if (attribute === 'args') return own(env, name);
  if (attribute === 'push' || attribute === 'load' || rules[attribute].kind === 'truth') return 'true';
  throw usageError(`--set '${text}' has no value`, form);
}

/** The first of several values takes the place of what is there, the others are added to it. */
function changed(settings: Settings, override: Override, replaces: boolean): Settings {
  const { attribute, name, value, written } = override;
  if (attribute === 'push' || attribute === 'load')
    return { output: withOutput(settings, attribute, truth(written, value)) };
  const { kind } = rules[attribute];
  const before = replaces && !addsAlways.includes(attribute) ? undefined : settings[attribute];
  if (kind === 'named')
    return { [attribute]: { ...(settings[attribute] as object | undefined), [name]: value } };
  if (kind === 'truth') return { [attribute]: truth(written, value) };
  if (kind === 'text') return { [attribute]: value };
  const items = kind === 'list' ? [value] : parseEntry(attribute as EntryAttribute, value);
  return { [attribute]: [...((before ?? []) as readonly unknown[]), ...items] };
}

/** What these say goes together with what is there. */
const addsAlways: readonly string[] = ['annotations', 'attest', 'entitlements'];

function truth(written: string, text: string): boolean {
  const value = booleanOf(text);
  if (value === undefined) throw usageError(`--set '${written}': '${text}' is neither true nor false`);
  return value;
}

/** An image that goes nowhere yet is pushed or loaded; files stay files. */
function withOutput({ output = [] }: Settings, way: 'push' | 'load', wanted: boolean): readonly Entry[] {
  if (way === 'push') return wanted ? pushing(output) : output.flatMap(notPushed);
  const isFiles = output.some(({ type }) => !['docker', 'image', 'registry', 'oci'].includes(String(type)));
  const loads = output.some(({ type, dest }) => type === 'docker' && dest === undefined);
  return wanted && !isFiles && !loads ? [...output, { type: 'docker' }] : output;
}

function pushing(output: readonly Entry[]): readonly Entry[] {
  const pushed = output.map((one) => (one.type === 'image' ? { ...one, push: 'true' } : one));
  return output.every(({ type }) => type === 'docker')
    ? [...pushed, { push: 'true', type: 'image' }]
    : pushed;
}

function notPushed(entry: Entry): readonly Entry[] {
  if (entry.type === 'registry') return [];
  return entry.type === 'image' ? [{ ...entry, push: 'false' }] : [entry];
}
