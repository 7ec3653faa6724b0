import { csvFields } from '../../core/csv.ts';
import { BuildError } from '../../core/errors.ts';
import { convert, type Type } from './types.ts';
import { fromJson, numberOf, truthOf, type Value } from './value.ts';

/**
 * What a variable of the environment says to a variable of this type: lists and tuples are fields of CSV, maps such fields
 * of the form `name:value`. Fails with `parse`, also for what has no such form.
 */
export function parseAs(text: string, type: Type): Value {
  switch (type.kind) {
    case 'any':
    case 'string':
      return text;
    case 'number':
      return numberOf(text);
    case 'bool':
      return truthOf(/^(t|true)$/i.test(text) ? 'true' : /^(f|false)$/i.test(text) ? 'false' : text);
    case 'list':
    case 'set':
    case 'tuple':
      return convert(fieldsOf(text), type);
    case 'map':
      return convert(new Map(fieldsOf(text).map(pairOf)), type);
    case 'object':
      throw new BuildError('parse', 'an object has no form but JSON', { hint: jsonHint });
  }
}

const jsonHint = 'Give the value as JSON, in a variable whose name ends in _JSON.';

/** A value of the type that is written in JSON. Fails with `parse`. */
export function parseJsonAs(text: string, type: Type): Value {
  return convert(jsonOf(text), type);
}

function fieldsOf(text: string): readonly string[] {
  const fields = text === '' ? [] : csvFields(text);
  if (fields !== undefined) return fields;
  throw new BuildError('parse', 'a quote does not end', {
    hint: 'Quotes stand around a whole field: "a,b".',
  });
}

function pairOf(field: string): readonly [string, string] {
  const colon = field.indexOf(':');
  if (colon > 0) return [field.slice(0, colon), field.slice(colon + 1)];
  throw new BuildError('parse', `'${field}' has no name`, { hint: 'Write a map as name:value,other:value.' });
}

function jsonOf(text: string): Value {
  try {
    return fromJson(JSON.parse(text));
  } catch {
    throw new BuildError('parse', 'JSON is needed here', {
      hint: 'Write lists as ["a"], objects as {"a": 1}.',
    });
  }
}
