import type { Change } from '../../src/core/events.ts';
import { changed, isEqual, listOf, shownValue } from './field-changes.ts';

/** What the words of a mount's key are, kind by kind, behind the kind itself (steps/run-mounts.ts). */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  bind: ['target', 'writable'],
  cache: ['target', 'readonly'],
  tmpfs: ['target', 'size'],
  volume: ['target', 'source', 'mode'],
  secret: ['id', 'target', 'env', 'mode', 'uid', 'gid'],
  ssh: ['id', 'target', 'mode', 'uid', 'gid'],
};

const KINDS: Readonly<Record<string, string>> = {
  bind: 'bind mount',
  cache: 'cache mount',
  tmpfs: 'tmpfs mount',
  volume: 'volume',
  secret: 'secret',
  ssh: 'ssh agent',
};

interface Mount {
  readonly kind: string;
  readonly name: string;
  readonly words: ReadonlyMap<string, unknown>;
}

/** Differences between the mounts of two steps. One that is there no more and a new one of its kind are the same, changed. */
export function mountChanges(before: readonly unknown[], after: readonly unknown[]): Change[] {
  const [old, now] = [before.map(mountOf), after.map(mountOf)];
  if (isEqual(before, after)) return [];
  const pairs = pairsOf(old, now);
  const paired = pairs.flatMap(([was, is]) => wordChanges(was, is));
  const gone = old.filter((one) => !pairs.some(([was]) => was === one));
  const added = now.filter((one) => !pairs.some(([, is]) => is === one));
  const all = [
    ...paired,
    ...gone.map(({ kind, name }): Change => ({ what: kind, name, how: 'removed' })),
    ...added.map(({ kind, name }): Change => ({ what: kind, name, how: 'added' })),
  ];
  return all.length > 0 ? all : [{ what: 'mounts', name: '', how: 'changed', aspect: 'order' }];
}

function mountOf(value: unknown): Mount {
  const [kind, ...rest] = listOf(value);
  const names = WORDS[String(kind)] ?? [];
  const words = new Map(names.map((name, i) => [name, rest[i] ?? undefined]));
  const name = String(words.get('id') ?? words.get('target') ?? rest[0] ?? '');
  return { kind: KINDS[String(kind)] ?? `${kind} mount`, name, words };
}

type Pair = readonly [Mount, Mount];

function pairsOf(old: readonly Mount[], now: readonly Mount[]): Pair[] {
  const equal = now.flatMap((is): Pair[] => {
    const was = old.find((one) => one.kind === is.kind && one.name === is.name);
    return was === undefined ? [] : [[was, is]];
  });
  const left = old.filter((one) => !equal.some(([was]) => was === one));
  const others = now.filter((one) => !equal.some(([, is]) => is === one));
  const renamed = others.flatMap((is): Pair[] => {
    const at = left.findIndex((one) => one.kind === is.kind);
    return at < 0 ? [] : [[left.splice(at, 1)[0]!, is]];
  });
  return [...equal, ...renamed];
}

function wordChanges(was: Mount, is: Mount): Change[] {
  return [...is.words.keys()].flatMap((word) => {
    const [before, after] = [was.words.get(word), is.words.get(word)];
    if (isEqual(before, after) || followsId(word, was, is)) return [];
    return changed(is.kind, is.name, [shownValue(before), shownValue(after)], word);
  });
}

/** A secret lies under its id unless the file says otherwise. */
function followsId(word: string, was: Mount, is: Mount): boolean {
  const isOwn = ({ words }: Mount) => words.get(word) === `/run/secrets/${words.get('id')}`;
  return word === 'target' && isOwn(was) && isOwn(is);
}
