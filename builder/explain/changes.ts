import type { Framed } from '../../src/core/digest.ts';
import type { Change } from '../../src/core/events.ts';
import type { Ingredients } from '../../src/core/ingredients.ts';
import { baseChanges, belowChanges } from './below-changes.ts';
import { copyChanges } from './copy-changes.ts';
import { changed, type Fields, fieldChanges, fieldsOf } from './field-changes.ts';
import type { ReadList } from './file-changes.ts';
import { runChanges } from './run-changes.ts';

/**
 * What differs between two steps, named as people know it. What merely follows from another difference is left out: the
 * layers below count where nothing of the step's own differs.
 */
export function changesBetween(before: Ingredients, after: Ingredients, list: ReadList): Change[] {
  const own = ownChanges(before, after, list);
  const base = own.some(({ what }) => what === 'platform') ? [] : baseChanges(before, after);
  const all = [
    ...base,
    ...(base.length > 0 ? own.filter((change) => !comesWithBase(change, before, after)) : own),
  ];
  return all.length > 0 ? all : belowChanges(before, after);
}

function ownChanges(before: Ingredients, after: Ingredients, list: ReadList): Change[] {
  const [old, now] = [wordsOf(before), wordsOf(after)];
  if (old.step !== now.step) return changed('instruction', '', [String(old.step), String(now.step)]);
  if (now.step === 'run') return runChanges(before, after, list);
  if (now.step === 'copy' || now.step === 'add') return copyChanges(before, after, list);
  return fieldChanges(old, now, { path: 'working directory', user: 'user' });
}

function wordsOf({ content, first }: Ingredients): Fields {
  const fields = fieldsOf(content ?? first);
  return fields.words === undefined ? fields : fieldsOf(fields.words as Framed);
}

/** Variables that an image sets come and go with it. */
function comesWithBase({ what, name }: Change, before: Ingredients, after: Ingredients): boolean {
  const set = [...(before.base?.variables ?? []), ...(after.base?.variables ?? [])];
  return what === 'variable' && set.includes(name);
}
