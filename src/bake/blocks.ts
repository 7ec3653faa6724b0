import { BuildError, suggestion } from '../core/errors.ts';
import { MOST_COMBINATIONS, tooLarge } from './bounds.ts';
import type { Definition, Group } from './definition.ts';
import { checkEntry, type EntryAttribute, parseEntry } from './entries.ts';
import { evaluate, type Scope, withNames } from './hcl/evaluate.ts';
import { attributeOf, type Block, type Body, type Attribute as WrittenAttribute } from './hcl/syntax.ts';
import { isList, isMap, listOf, mapOf, textOf, truthOf, type Value } from './hcl/value.ts';
import {
  type Attribute,
  attributeNames,
  type Entry,
  merge,
  type Named,
  rules,
  type Settings,
} from './settings.ts';
import { type Given, Variables } from './variables.ts';

/**
 * What files in HCL and JSON say, on top of what is known. Blocks of one name in several files are joined, the later one
 * counts. Fails with `parse`, placed in its file.
 */
export function define(bodies: readonly Body[], known: Definition, given: Given): Definition {
  const scope = new Variables(bodies, given);
  const blocks = bodies.flatMap((body) => body.blocks);
  for (const block of blocks) checkBlock(block);
  const variables = scope.all();
  const targets = new Map(known.targets);
  const groups = new Map(known.groups);
  for (const block of blocks.filter(({ type }) => type === 'group'))
    groups.set(labelOf(block), groupOf(block, scope));
  for (const block of blocks.filter(({ type }) => type === 'target'))
    addTarget(block, scope, { targets, groups });
  return { groups, targets, variables };
}

const blockTypes = ['variable', 'function', 'group', 'target'];
const ownAttributes: Readonly<Record<string, readonly string[]>> = {
  variable: ['default', 'type', 'description'],
  function: ['params', 'variadic_params', 'result'],
  group: ['targets', 'description'],
  target: [...attributeNames, 'matrix', 'name'],
};

function checkBlock(block: Block): void {
  const { type, range, body } = block;
  if (!blockTypes.includes(type))
    throw new BuildError('parse', `a bake file has no ${type}`, {
      location: range,
      hint: suggestion(type, blockTypes) ?? `It has ${blockTypes.join(', ')}.`,
    });
  const name = labelOf(block);
  if ((type === 'target' || type === 'group') && !/^[\w-]+$/.test(name))
    throw new BuildError('parse', `"${name}" is no name for a ${type}`, {
      location: block.labels[0]!.range,
      hint: 'Letters, digits, - and _ make a name.',
    });
  checkAttributes(body, type);
  const inner = type === 'variable' ? undefined : body.blocks[0];
  if (inner === undefined) return;
  throw new BuildError('parse', `a ${type} has no block ${inner.type}`, {
    location: inner.range,
    hint: `Write ${inner.type} = …, with an equals sign.`,
  });
}

function labelOf({ type, labels, range }: Block): string {
  const [label, extra] = labels;
  if (label !== undefined && extra === undefined) return label.text;
  throw new BuildError('parse', `a ${type} has one name`, {
    location: extra?.range ?? range,
    hint: `Write ${type} "NAME" { … }.`,
  });
}

function checkAttributes({ attributes }: Body, type: string): void {
  const known = ownAttributes[type]!;
  const unknown = attributes.find(({ name }) => !known.includes(name));
  if (unknown === undefined) return;
  throw new BuildError('parse', `a ${type} has no attribute ${unknown.name}`, {
    location: unknown.range,
    hint: suggestion(unknown.name, known) ?? `It has ${known.join(', ')}.`,
  });
}

function groupOf({ body }: Block, scope: Scope): Group {
  const [targets, description] = ['targets', 'description'].map((name) => attributeOf(body, name));
  return {
    ...(description !== undefined && { description: textOf(evaluate(description.value, scope)) }),
    targets:
      targets === undefined ? [] : ([...new Set(read(targets, 'list', scope) as readonly string[])] as const),
  };
}

interface Made {
  readonly targets: Map<string, Settings>;
  readonly groups: Map<string, Group>;
}

/** A matrix makes a target of each combination, and a group of all of them. */
function addTarget(block: Block, scope: Scope, { targets, groups }: Made): void {
  const label = labelOf(block);
  const matrix = attributeOf(block.body, 'matrix');
  const name = attributeOf(block.body, 'name');
  if (matrix === undefined) {
    if (name !== undefined)
      throw new BuildError('parse', 'name goes with a matrix', {
        location: name.range,
        hint: 'Leave it away.',
      });
    targets.set(label, merge(targets.get(label) ?? {}, settingsOf(block.body, scope)));
    return;
  }
  const names = combinations(matrix, scope).map((values) => {
    const inner = withNames(scope, values);
    const own = name === undefined ? label : textOf(evaluate(name.value, inner));
    if (!/^[\w-]+$/.test(own))
      throw new BuildError('parse', `"${own}" is no name for a target`, {
        location: (name ?? matrix).value.range,
        hint: 'Letters, digits, - and _ make a name: sanitize(…) makes others fit.',
      });
    targets.set(own, merge(targets.get(own) ?? {}, settingsOf(block.body, inner)));
    return own;
  });
  const made = [...new Set(names)];
  if (made.length < names.length)
    throw new BuildError('parse', 'two targets of the matrix have one name', {
      location: (name ?? matrix).range,
      hint: 'Write name = "…" with all that the matrix varies.',
    });
  if (made.length !== 1 || made[0] !== label) groups.set(label, { targets: made });
}

function combinations(matrix: WrittenAttribute, scope: Scope): readonly ReadonlyMap<string, Value>[] {
  const axes = placed(matrix, () =>
    [...mapOf(evaluate(matrix.value, scope))].map(([name, values]) => [name, listOf(values)] as const),
  );
  if (axes.reduce((count, [, values]) => count * values.length, 1) > MOST_COMBINATIONS)
    throw tooLarge(`the matrix makes more than ${MOST_COMBINATIONS} targets`, {
      location: matrix.value.range,
    });
  return axes.reduce<readonly ReadonlyMap<string, Value>[]>(
    (all, [name, values]) => values.flatMap((value) => all.map((one) => new Map([...one, [name, value]]))),
    [new Map()],
  );
}

function settingsOf({ attributes }: Body, scope: Scope): Settings {
  const values = attributes.flatMap((attribute) => {
    const { name } = attribute;
    if (name === 'matrix' || name === 'name') return [];
    const value = read(attribute, rules[name as Attribute].kind, scope);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(values);
}

/** The value of an attribute in the form that its kind has; undefined for null, which sets nothing. */
function read(attribute: WrittenAttribute, kind: string, scope: Scope): unknown {
  const value = evaluate(attribute.value, scope);
  return placed(attribute, () => (value === null ? undefined : formed(value, kind, attribute.name)));
}

function formed(value: Value, kind: string, name: string): unknown {
  switch (kind) {
    case 'truth':
      return value === 1 || value === 0 ? value === 1 : truthOf(value);
    case 'list':
      return listOf(value).map(textOf);
    case 'named':
      return namedOf(value);
    case 'entries':
      return listOf(value).flatMap((one) => entriesOf(one, name as EntryAttribute));
    default:
      return textOf(value);
  }
}

function namedOf(value: Value): Named {
  const entries = [...mapOf(value)].map(([key, one]) => [key, one === null ? null : textOf(one)] as const);
  return Object.fromEntries(entries);
}

function entriesOf(value: Value, name: EntryAttribute): readonly Entry[] {
  if (value === null) return [];
  if (!isMap(value)) return parseEntry(name, textOf(value));
  const fields = [...value].flatMap(([key, one]) => {
    if (one === null) return [];
    return [[key, isList(one) ? one.map(textOf) : textOf(one)] as const];
  });
  return fields.length === 0 ? [] : [checkEntry(name, Object.fromEntries(fields))];
}

function placed<T>({ name, value }: WrittenAttribute, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof BuildError) || error.location !== undefined) throw error;
    const { hint } = error;
    const message = error.message.startsWith(name) ? error.message : `${name}: ${error.message}`;
    throw new BuildError('parse', message, { location: value.range, ...(hint !== undefined && { hint }) });
  }
}
