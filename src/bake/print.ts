import type { Selection } from './select.ts';
import { attributeNames, type Entry, type Settings } from './settings.ts';

/** What would be built, as `docker buildx bake --print` shows it; it is a bake file again. */
export function printed({ groups, targets }: Selection): object {
  const named = [...groups].map(([name, { description, targets }]) => [
    name,
    { ...(description !== undefined && { description }), targets },
  ]);
  return {
    ...(named.length > 0 && { group: sorted(Object.fromEntries(named)) }),
    target: sorted(Object.fromEntries([...targets].map(([name, settings]) => [name, shown(settings)]))),
  };
}

function shown(settings: Settings): object {
  const present = attributeNames.filter((name) => settings[name] !== undefined);
  return Object.fromEntries(present.map((name) => [name, shownValue(name, settings[name])]));
}

const escaped: readonly string[] = ['annotations', 'dockerfile-inline', 'labels', 'args', 'extra-hosts'];

/** Fields in the order of their names; where texts are read as templates again, they stay what they are. */
function shownValue(name: string, value: unknown): unknown {
  const isText = escaped.includes(name);
  if (typeof value === 'string') return isText ? marked(value) : value;
  if (Array.isArray(value))
    return value.map((one: string | Entry) => {
      if (typeof one !== 'string') return sorted(one);
      return isText ? marked(one) : one;
    });
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value as Readonly<Record<string, string | null>>);
  return sorted(
    Object.fromEntries(fields.map(([key, text]) => [key, isText && text !== null ? marked(text) : text])),
  );
}

function marked(text: string): string {
  return text.replaceAll('${', '$${').replaceAll('%{', '%%{');
}

function sorted<T>(fields: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
}
