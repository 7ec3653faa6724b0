import { BuildError, suggestion, usageError } from '../core/errors.ts';
import type { Definition, Group } from './definition.ts';
import { matches } from './names.ts';
import { readOverrides } from './overrides.ts';
import { merge, normalised, type Settings } from './settings.ts';

/** What is to be built: every target with all that it inherits. */
export interface Selection {
  readonly groups: ReadonlyMap<string, Group>;
  readonly targets: ReadonlyMap<string, Settings>;
  /** Targets that nobody asked for, and others start from. */
  readonly linked: ReadonlySet<string>;
}

/** What of a definition is asked for. */
export interface Asked {
  /** Names of targets and groups, with `*` where wanted. */
  readonly names: readonly string[];
  /** Every `--set`. */
  readonly set: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Picks the targets that are asked for, and those that they need. Fails with `usage` or `parse`. */
export function select(definition: Definition, { names, set, env }: Asked): Selection {
  const override = readOverrides(set, { targets: [...definition.targets.keys()], env });
  const resolve = (name: string): Settings => resolved(name, { definition, override, above: [] });
  const wanted = [...new Set(names.flatMap((name) => named(name, definition)))];
  const opened = wanted.map((name) => openGroup(name, definition.groups, []));
  const groups = new Map(
    opened.flatMap(({ groups }) => groups).map((name) => [name, definition.groups.get(name)!] as const),
  );
  const targets = new Map(
    opened.flatMap(({ targets }) => targets).map((name) => [name, resolve(name)] as const),
  );
  const linked = new Set<string>();
  for (const name of [...targets.keys()]) addLinks(name, { targets, linked, resolve, above: [] });
  return { groups: withDefault(groups, wanted), targets, linked };
}

function named(word: string, { groups, targets }: Definition): readonly string[] {
  const known = [...groups.keys(), ...targets.keys()];
  const found = known.filter((name) => matches(word.replaceAll('.', '_'), name));
  if (found.length > 0) return found;
  throw usageError(
    known.length === 0 ? 'the files name no target' : `there is no target ${word}`,
    suggestion(word, known) ??
      (known.length === 0 ? 'Write target "default" { … }.' : `There are: ${known.join(', ')}.`),
  );
}

interface Opened {
  readonly targets: readonly string[];
  readonly groups: readonly string[];
}

function openGroup(name: string, groups: Definition['groups'], above: readonly string[]): Opened {
  const group = groups.get(name);
  if (group === undefined || above.includes(name))
    return { targets: group === undefined ? [name] : [], groups: [] };
  const inner = group.targets.map((member) =>
    openGroup(member.replaceAll('.', '_'), groups, [...above, name]),
  );
  return {
    targets: [...new Set(inner.flatMap((one) => one.targets))],
    groups: [name, ...inner.flatMap((one) => one.groups)],
  };
}

/** The group `default` shows what was asked for. */
function withDefault(
  groups: ReadonlyMap<string, Group>,
  wanted: readonly string[],
): ReadonlyMap<string, Group> {
  const known = groups.get('default');
  const others = wanted.filter((name) => name !== 'default' || known === undefined);
  const targets = [...new Set([...(known?.targets ?? []), ...others])].sort();
  return new Map([...groups, ['default', { ...known, targets }]]);
}

interface Resolving {
  readonly definition: Definition;
  readonly override: (target: string, settings: Settings) => Settings;
  /** The targets that inherit it. */
  readonly above: readonly string[];
}

/** A target with what it inherits, the later ones before the earlier; what the command line sets counts above all. */
function resolved(name: string, resolving: Resolving): Settings {
  const { context, dockerfile, ...others } = normalised(inherited(name, resolving));
  return { ...others, context: context ?? '.', dockerfile: dockerfile || 'Dockerfile' };
}

function inherited(name: string, { definition, override, above }: Resolving): Settings {
  const { targets } = definition;
  const own = targets.get(name);
  if (own === undefined)
    throw new BuildError(
      'not-found',
      `there is no target ${name}${above.length > 0 ? `, which ${above.at(-1)} inherits` : ''}`,
      {
        hint: suggestion(name, targets.keys()) ?? `There are: ${[...targets.keys()].join(', ')}.`,
      },
    );
  const parents = (own.inherits ?? []).filter((parent) => parent !== name && !above.includes(parent));
  const base = parents
    .map((parent) => inherited(parent, { definition, override, above: [...above, name] }))
    .reduce(merge, {});
  return override(name, merge(base, own));
}

interface Linking {
  readonly targets: Map<string, Settings>;
  readonly linked: Set<string>;
  readonly resolve: (name: string) => Settings;
  readonly above: readonly string[];
}

/** Adds the targets that others start from. Fails with `parse` where they lead in a circle. */
function addLinks(name: string, linking: Linking): void {
  const { targets, linked, resolve, above } = linking;
  const path = [...above, name];
  for (const link of linksOf(targets.get(name)!)) {
    if (path.includes(link))
      throw new BuildError(
        'parse',
        `the contexts of targets lead in a circle: ${[...path, link].join(' → ')}`,
      );
    if (!targets.has(link)) {
      linked.add(link);
      targets.set(link, { ...resolve(link), output: [{ type: 'cacheonly' }] });
    }
    addLinks(link, { ...linking, above: path });
    const granted = [...(targets.get(name)!.entitlements ?? []), ...(targets.get(link)!.entitlements ?? [])];
    if (granted.length > 0) targets.set(name, { ...targets.get(name)!, entitlements: [...new Set(granted)] });
  }
}

/** The targets that a target starts from: contexts of the form `target:NAME`. */
export function linksOf({ contexts = {} }: Settings): readonly string[] {
  const places = Object.values(contexts).filter((place) => place?.startsWith('target:'));
  return [...new Set(places.map((place) => place!.slice('target:'.length)))];
}
