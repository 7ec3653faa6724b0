import type { Framed } from '../../src/core/digest.ts';
import type { Change } from '../../src/core/events.ts';

/** Ingredients as they were read back: each field may be missing. */
export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: Framed): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** A list field; none where it is missing. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A value as people read it; undefined for none. */
export function shownValue(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (Array.isArray(value) && value.every((one) => typeof one === 'string'))
    return value.join(' ') || undefined;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The difference between two values as a change: none where they are equal. */
export function changed(
  what: string,
  name: string,
  [before, after]: readonly [string | undefined, string | undefined],
  aspect?: string,
): Change[] {
  if (before === after) return [];
  const how = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  const values = { ...(before !== undefined && { before }), ...(after !== undefined && { after }) };
  return [{ what, name, how, ...(aspect !== undefined && { aspect }), ...values }];
}

/** Differences field by field; `names` are those of the fields as people know them. */
export function fieldChanges(
  before: Fields,
  after: Fields,
  names: Readonly<Record<string, string>>,
): Change[] {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...fields].flatMap((field) =>
    isEqual(before[field], after[field])
      ? []
      : changed(names[field] ?? field, '', [shownValue(before[field]), shownValue(after[field])]),
  );
}

/** Lists of words as sets: what is new in one, and what is no longer there. */
export function wordChanges(what: string, before: unknown, after: unknown): Change[] {
  const [old, now] = [listOf(before).map(String), listOf(after).map(String)];
  return [
    ...old.filter((word) => !now.includes(word)).map((name): Change => ({ what, name, how: 'removed' })),
    ...now.filter((word) => !old.includes(word)).map((name): Change => ({ what, name, how: 'added' })),
  ];
}

/** Lists of `name=value`. */
export function valueChanges(what: string, before: unknown, after: unknown): Change[] {
  const [old, now] = [before, after].map(
    (list) =>
      new Map(
        listOf(list).map((one) => [String(one).replace(/=.*/s, ''), String(one).replace(/^[^=]*=?/, '')]),
      ),
  );
  const names = new Set([...old!.keys(), ...now!.keys()]);
  return [...names].flatMap((name) => changed(what, name, [old!.get(name), now!.get(name)]));
}
