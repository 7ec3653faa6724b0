import type { Change } from '../../src/core/events.ts';
import type { Ingredients } from '../../src/core/ingredients.ts';
import { fieldsOf, isEqual, listOf } from './field-changes.ts';

/** What else differs, from which differences of variables follow. */
interface Following {
  readonly platform: boolean;
  readonly agent: boolean;
}

/** Variables and build arguments that differ. A value that is hidden differs by its mark. */
export function variableChanges(before: Ingredients, after: Ingredients, following: Following): Change[] {
  const [old, now] = [variablesOf(before), variablesOf(after)];
  const args = [...(before.facts.args ?? []), ...(after.facts.args ?? [])];
  const names = [...new Set([...old.keys(), ...now.keys()])].filter((name) => !follows(name, following));
  const all = names.flatMap((name) => {
    const what = args.includes(name) ? 'build argument' : 'variable';
    return variableChange({ what, name }, old.get(name), now.get(name));
  });
  const isReordered = all.length === 0 && !isEqual(order(old, following), order(now, following));
  return isReordered ? [{ what: 'variables', name: '', how: 'changed', aspect: 'order' }] : all;
}

type Value = readonly [value: string, mark: string | undefined];

function variablesOf({ content, first }: Ingredients): Map<string, Value> {
  const env = listOf(fieldsOf(content ?? first).env);
  return new Map(
    env.map((one) => {
      const [name, value, mark] = listOf(one) as [string, string, string?];
      return [name, [value, mark]];
    }),
  );
}

function variableChange(
  named: Pick<Change, 'what' | 'name'>,
  before: Value | undefined,
  after: Value | undefined,
): Change[] {
  if (isEqual(before, after)) return [];
  const how = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return [{ ...named, how, ...(before && { before: before[0] }), ...(after && { after: after[0] }) }];
}

function order(variables: ReadonlyMap<string, Value>, following: Following): string[] {
  return [...variables.keys()].filter((name) => !follows(name, following));
}

function follows(name: string, { platform, agent }: Following): boolean {
  if (name === 'SSH_AUTH_SOCK') return agent;
  return platform && /^(TARGET|BUILD)(PLATFORM|OS|ARCH|VARIANT)$/.test(name);
}
