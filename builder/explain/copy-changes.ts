import type { Change } from '../../src/core/events.ts';
import type { Ingredients } from '../../src/core/ingredients.ts';
import {
  changed,
  type Fields,
  fieldChanges,
  fieldsOf,
  isEqual,
  listOf,
  shownValue,
} from './field-changes.ts';
import { fileChanges, type ReadList } from './file-changes.ts';
import { ignoreChanges } from './ignore-changes.ts';

const FLAGS = ['chown', 'chmod', 'link', 'parents', 'unpack', 'excludes'];

/** What differs between two COPY or ADD steps of their own. */
export function copyChanges(before: Ingredients, after: Ingredients, list: ReadList): Change[] {
  const [old, now] = [wordsOf(before), wordsOf(after)];
  const flags = FLAGS.flatMap((flag) => {
    const name = flag === 'excludes' ? '--exclude' : `--${flag}`;
    return isEqual(old[flag], now[flag])
      ? []
      : changed('flag', name, [shownFlag(old[flag]), shownFlag(now[flag])]);
  });
  const words = [...flags, ...placeChanges(before, after), ...heredocChanges(old, now)];
  const fetched = fetchedChanges(before, after);
  if (fetched.length > 0) return [...words, ...fetched];
  const sources = sourceChanges(before, after);
  const files = sources.length > 0 ? [] : selectedChanges(before, after, list);
  const isFiltered = flags.some(({ name }) => name === '--exclude');
  return [...words, ...sources, ...(isFiltered ? files.filter(({ how }) => how === 'changed') : files)];
}

/** The words of the instruction as the keys hold them. */
function wordsOf({ content, first }: Ingredients): Fields {
  const fields = fieldsOf(content ?? first);
  return fields.words === undefined ? fields : fieldsOf(fields.words as never);
}

function shownFlag(value: unknown): string | undefined {
  return value === true ? 'true' : value === false ? undefined : shownValue(value);
}

/** A relative destination moves with WORKDIR. */
function placeChanges(before: Ingredients, after: Ingredients): Change[] {
  const [old, now] = [before.facts, after.facts];
  const places = [wordsOf(before).to, wordsOf(after).to];
  if (isEqual(places[0], places[1])) return [];
  const moved = old.destination === now.destination && old.workdir !== now.workdir;
  return moved
    ? changed('working directory', '', [old.workdir, now.workdir])
    : changed('destination', '', [shownValue(places[0]), shownValue(places[1])]);
}

function heredocChanges(before: Fields, after: Fields): Change[] {
  const named = (fields: Fields) =>
    Object.fromEntries(listOf(fields.heredocs).map((one) => [String(fieldsOf(one as never).name), one]));
  const [old, now] = [named(before), named(after)];
  return fieldChanges(old, now, {}).map(({ what: name, how }) =>
    how === 'changed' ? { what: 'heredoc', name, how, aspect: 'content' } : { what: 'heredoc', name, how },
  );
}

/** What ADD gets from elsewhere. */
function fetchedChanges(before: Ingredients, after: Ingredients): Change[] {
  const [old, now] = [before, after].map(({ first }) => listOf(fieldsOf(first).fetched));
  return now!.flatMap((one, i) => {
    const [was, is] = [fieldsOf(old![i] as never), fieldsOf(one as never)];
    const name = after.facts.sources?.[i] ?? String(is.name ?? '');
    const [field, what] = is.git === undefined ? ['http', 'download'] : ['git', 'git commit'];
    return changed(what!, name, [shownValue(was[field!]), shownValue(is[field!])]);
  });
}

function sourceChanges(before: Ingredients, after: Ingredients): Change[] {
  const [old, now] = [before, after].map(({ facts }) => [
    ...fromOf(facts.from?.[0]),
    ...(facts.sources ?? []),
  ]);
  return isEqual(old, now) ? [] : changed('source', '', [shownValue(old), shownValue(now)]);
}

function fromOf(from: string | undefined): string[] {
  return from === undefined ? [] : [`--from=${from}`];
}

function selectedChanges(before: Ingredients, after: Ingredients, list: ReadList): Change[] {
  const [old, now] = [fieldsOf(before.content).files, fieldsOf(after.content).files];
  const files = fileChanges({ before, after, files: [old, now], from: after.facts.from?.[0] }, list);
  const layers = [before, after].map(({ first }) => fieldsOf(first).from);
  if (files.length === 0 && old === undefined && !isEqual(layers[0], layers[1]))
    return [{ what: 'files', name: after.facts.from?.[0] ?? '', how: 'changed' }];
  return ignoreChanges(files, before.facts.ignore, after.facts.ignore);
}
