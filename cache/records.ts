import { type Digest, type Framed, hexOf, isDigest } from '../src/core/digest.ts';
import type { Records, StepResult } from '../src/core/store.ts';
import { guarded } from './faults.ts';
import { type Home, touch } from './home.ts';
import { lock } from './lock.ts';

/** A record as it is stored: what a key once led to, and the layers that it was made of, as the key names them. */
export interface StoredRecord {
  readonly results: readonly StepResult[];
  readonly of?: readonly Digest[];
}

/** More results than this under one key: the oldest goes. */
const mostResults = 32;

/** What steps once produced: one JSON file per key. Its modification time is its last use. */
export function openRecords(home: Home): Records {
  const fileOf = (key: Digest): string => home.path('records', `${hexOf(key)}.json`);
  const read = (key: Digest): StoredRecord | undefined => home.readJson(fileOf(key), isStoredRecord);
  return {
    find(key) {
      const record = read(key);
      if (record !== undefined) touch(fileOf(key));
      return record?.results ?? [];
    },
    async put(key, result, ingredients) {
      const others = (read(key)?.results ?? []).filter((old) => old.layer.diffId !== result.layer.diffId);
      const results = [result, ...others].slice(0, mostResults);
      home.write(fileOf(key), JSON.stringify({ results, of: digestsIn(ingredients) }));
    },
    async lock(key, signal) {
      const held = await guarded(() => lock(home.path('locks', `step-${hexOf(key)}`), 'exclusive', signal));
      return { [Symbol.asyncDispose]: async () => held.release() };
    },
  };
}

export function isStoredRecord(value: unknown): value is StoredRecord {
  const results = (value as StoredRecord | null)?.results;
  return (
    Array.isArray(results) &&
    results.every(
      (one: StepResult) => isDigest(String(one?.layer?.diffId)) && typeof one.created === 'string',
    )
  );
}

function digestsIn(value: Framed): Digest[] {
  if (typeof value === 'string') return isDigest(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return [...new Set(Object.values(value as { readonly [name: string]: Framed }).flatMap(digestsIn))];
}
