/** A field list such as `type=registry,ref=NAME`, taken apart. */
export type Entry = Readonly<Record<string, string | readonly string[]>>;

/** Values by name; null leaves a name to what the Containerfile says. */
export type Named = Readonly<Record<string, string | null>>;

/** What is set of a target: its attributes under the names that files give them. */
export interface Settings {
  readonly description?: string;
  readonly inherits?: readonly string[];
  readonly annotations?: readonly string[];
  readonly attest?: readonly Entry[];
  readonly context?: string;
  readonly contexts?: Named;
  readonly dockerfile?: string;
  readonly 'dockerfile-inline'?: string;
  readonly args?: Named;
  readonly labels?: Named;
  readonly tags?: readonly string[];
  readonly 'cache-from'?: readonly Entry[];
  readonly 'cache-to'?: readonly Entry[];
  readonly target?: string;
  readonly secret?: readonly Entry[];
  readonly ssh?: readonly Entry[];
  readonly platforms?: readonly string[];
  readonly output?: readonly Entry[];
  readonly pull?: boolean;
  readonly 'no-cache'?: boolean;
  readonly network?: string;
  readonly 'no-cache-filter'?: readonly string[];
  readonly 'shm-size'?: string;
  readonly ulimits?: readonly string[];
  readonly call?: string;
  readonly entitlements?: readonly string[];
  readonly 'extra-hosts'?: Named;
}

export type Attribute = keyof Settings;

interface Rule {
  readonly kind: 'text' | 'truth' | 'list' | 'entries' | 'named';
  /** What becomes of an inherited value: it is replaced, or stays in front of the new one. */
  readonly merge: 'replace' | 'join';
}

/** Every attribute of a target, in the order in which `--print` shows them. */
export const rules: Readonly<Record<Attribute, Rule>> = {
  description: { kind: 'text', merge: 'replace' },
  inherits: { kind: 'list', merge: 'join' },
  annotations: { kind: 'list', merge: 'join' },
  attest: { kind: 'entries', merge: 'join' },
  context: { kind: 'text', merge: 'replace' },
  contexts: { kind: 'named', merge: 'join' },
  dockerfile: { kind: 'text', merge: 'replace' },
  'dockerfile-inline': { kind: 'text', merge: 'replace' },
  args: { kind: 'named', merge: 'join' },
  labels: { kind: 'named', merge: 'join' },
  tags: { kind: 'list', merge: 'replace' },
  'cache-from': { kind: 'entries', merge: 'join' },
  'cache-to': { kind: 'entries', merge: 'replace' },
  target: { kind: 'text', merge: 'replace' },
  secret: { kind: 'entries', merge: 'join' },
  ssh: { kind: 'entries', merge: 'join' },
  platforms: { kind: 'list', merge: 'replace' },
  output: { kind: 'entries', merge: 'replace' },
  pull: { kind: 'truth', merge: 'replace' },
  'no-cache': { kind: 'truth', merge: 'replace' },
  network: { kind: 'text', merge: 'replace' },
  'no-cache-filter': { kind: 'list', merge: 'join' },
  'shm-size': { kind: 'text', merge: 'replace' },
  ulimits: { kind: 'list', merge: 'join' },
  call: { kind: 'text', merge: 'replace' },
  entitlements: { kind: 'list', merge: 'join' },
  'extra-hosts': { kind: 'named', merge: 'join' },
};

/** Every name of an attribute. */
export const attributeNames = Object.keys(rules) as readonly Attribute[];

/** What a target is that has `base` and is then told `more`. */
export function merge(base: Settings, more: Settings): Settings {
  const merged = Object.entries(more).map(([name, value]) => {
    const before: unknown = base[name as Attribute];
    return [name, joined(name as Attribute, before, value)] as const;
  });
  return { ...base, ...Object.fromEntries(merged) };
}

/** Every list without what it holds twice, empty words and names that lead nowhere. */
export function normalised(settings: Settings): Settings {
  const kept = Object.entries(settings).flatMap(([name, value]) => {
    const tidy = tidied(name as Attribute, value);
    return tidy === undefined ? [] : [[name, tidy] as const];
  });
  const all: Settings = Object.fromEntries(kept);
  if (all.network !== 'host' || all.entitlements?.includes('network.host')) return all;
  return { ...all, entitlements: [...(all.entitlements ?? []), 'network.host'] };
}

function joined(name: Attribute, before: unknown, value: unknown): unknown {
  const { kind, merge } = rules[name];
  if (kind === 'named') return { ...(before as Named | undefined), ...withoutNull(value as Named) };
  if (merge === 'replace' || before === undefined) return value;
  return [...(before as readonly unknown[]), ...(value as readonly unknown[])];
}

/** What is null says nothing: what was inherited stays. */
function withoutNull(named: Named): Named {
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== null));
}

function tidied(name: Attribute, value: unknown): unknown {
  const { kind } = rules[name];
  if (name === 'inherits') return undefined;
  if (kind === 'list') return filled([...new Set(value as readonly string[])].filter((word) => word !== ''));
  if (kind === 'entries') return filled(distinctEntries(name, value as readonly Entry[]));
  if (kind !== 'named') return value;
  const entries = Object.entries(withoutNull(value as Named));
  return filled(
    entries.filter(([, one]) => name !== 'contexts' || one !== ''),
    Object.fromEntries,
  );
}

function filled<T>(items: readonly T[], shape: (items: readonly T[]) => unknown = (all) => all): unknown {
  return items.length === 0 ? undefined : shape(items);
}

/** Of attestations of one type, and of secrets and agents of one id, the last counts. */
function distinctEntries(name: Attribute, entries: readonly Entry[]): readonly Entry[] {
  const keyOf = (entry: Entry): string => {
    if (name === 'attest') return String(entry.type);
    if (name === 'secret' || name === 'ssh') return String(entry.id);
    return JSON.stringify(Object.entries(entry).sort());
  };
  return [...new Map(entries.map((entry) => [keyOf(entry), entry])).values()];
}
