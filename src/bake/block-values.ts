import { type EntryAttribute, parseEntry } from './entries.ts';
import { evaluate, type Scope } from './hcl/evaluate.ts';
import type { Block } from './hcl/syntax.ts';
import { fromJson, isMap, listOf, textOf, type Value } from './hcl/value.ts';
import { LazyMap } from './lazy-map.ts';
import { type Attribute, attributeNames, rules } from './settings.ts';

interface Evaluating {
  readonly scope: Scope;
  /** Makes a value once. Fails with `parse` where it depends on itself. */
  readonly once: (key: string, make: () => Value) => Value;
}

/**
 * `target.NAME.ATTRIBUTE` and `group.NAME.ATTRIBUTE`: what other blocks say, as it is written there and evaluated when it is asked for;
 * null for what they do not say.
 */
export function blockValues(all: readonly Block[], type: string, { scope, once }: Evaluating): Value {
  const blocks = all.filter((block) => block.type === type);
  const names = [...new Set(blocks.map(({ labels }) => labels[0]?.text ?? ''))];
  return new LazyMap(names, (name) => {
    const own = blocks.filter(({ labels }) => labels[0]?.text === name);
    const attributes = own.flatMap(({ body }) => body.attributes);
    return new LazyMap([...attributeNames, 'name', 'targets'], (wanted) => {
      const written = attributes.findLast((attribute) => attribute.name === wanted);
      if (written === undefined) return wanted === 'name' ? name : null;
      const value = once(`${type}.${name}.${wanted}`, () => evaluate(written.value, scope));
      return type === 'target' ? asRead(value, wanted) : value;
    });
  });
}

/** Fields that are written as one text are fields all the same. */
function asRead(value: Value, name: string): Value {
  if (value === null || rules[name as Attribute]?.kind !== 'entries') return value;
  return listOf(value).flatMap((one) => {
    if (one === null || isMap(one)) return [one];
    return parseEntry(name as EntryAttribute, textOf(one)).map(fromJson);
  });
}
